"""The command group, and the one place where errors become words and exit codes."""

import errno
import importlib
import os
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence

import click

import walkaway
from walkaway.cli import exits
from walkaway.cli.say import err
from walkaway.cli.session import Session
from walkaway.cli.signals import Signals
from walkaway.clock import SystemClock
from walkaway.core.errors import WalkawayError

COMMANDS: Mapping[str, tuple[str, str, str]] = {
    "init": ("walkaway.cli.project", "init", "Make a folder a project; harmless twice."),
    "new": ("walkaway.cli.project", "new", "Hand in a specification; prints the milestone's id."),
    "auto": ("walkaway.cli.run", "auto", "Work until everything is complete or something needs you."),
    "next": ("walkaway.cli.run", "next_", "Do one unit."),
    "pause": ("walkaway.cli.direct", "pause", "Let no unit begin until you resume."),
    "resume": ("walkaway.cli.run", "resume", "Go on with what was paused."),
    "stop": ("walkaway.cli.direct", "stop", "End the runs under way."),
    "cancel": ("walkaway.cli.direct", "cancel", "End the running unit; it is begun again."),
    "steer": ("walkaway.cli.direct", "steer", "Say something to the agent at work."),
    "skip": ("walkaway.cli.plan", "skip", "Give up a slice or task."),
    "defer": ("walkaway.cli.plan", "defer", "Leave a slice for later."),
    "reopen": ("walkaway.cli.plan", "reopen", "Have a slice or task done after all, or again."),
    "quick": ("walkaway.cli.plans.wish", "quick", "Hand in one small task; no planning."),
    "capture": ("walkaway.cli.plans.wish", "capture", "Throw in a thought; it is sorted in before the next unit."),
    "override": ("walkaway.cli.plans.wish", "override", "Say what counts from now on, whatever the plan says."),
    "plan": ("walkaway.cli.plans.show", "plan", "Look at the plan."),
    "dispatch": ("walkaway.cli.plans.show", "dispatch", "Run one unit, if it is of the kind that you name."),
    "why": ("walkaway.cli.plans.show", "why", "Show where a line of code, a task or a commit comes from."),
    "undo": ("walkaway.cli.plans.queue", "undo", "Take back the newest task that was done."),
    "queue": ("walkaway.cli.plans.queue", "queue", "Show the order of the milestones; change it."),
    "park": ("walkaway.cli.plans.queue", "park", "Leave a milestone for later."),
    "unpark": ("walkaway.cli.plans.queue", "unpark", "Have a parked milestone done after all."),
    "discard": ("walkaway.cli.plans.queue", "discard", "Give up a milestone for good."),
    "workflow": ("walkaway.cli.plans.workflow", "workflow", "Run a plan that you wrote yourself, in YAML."),
    "workers": ("walkaway.cli.direct", "workers", "Show who is at work, and at what."),
    "status": ("walkaway.cli.look", "status", "Show where the project stands."),
    "query": ("walkaway.cli.project", "query", "Print the state as one JSON object, for programs."),
    "log": ("walkaway.cli.look", "log", "Show the journal: every fact, in order."),
    "units": ("walkaway.cli.look", "units", "Show the runs of every unit, and what kinds of unit there are."),
    "brief": ("walkaway.cli.look", "brief", "Show what an agent is told for a unit, and how large it is."),
    "answer": ("walkaway.cli.project", "answer", "Answer a question that the work waits for."),
    "gates": ("walkaway.cli.plan", "gates", "Show the gates; confirm one, or open it again."),
    "decisions": ("walkaway.cli.plans.registers", "decisions", "Show what was decided; enter a decision."),
    "requirements": (
        "walkaway.cli.plans.registers",
        "requirements",
        "Show what the project has to do; enter or change it.",
    ),
    "memory": (
        "walkaway.cli.plans.registers",
        "memory",
        "Show what is remembered; add, forget, search.",
    ),
    "config": ("walkaway.cli.project", "config", "Show the settings and where each comes from."),
    "trust": ("walkaway.cli.plans.trust", "trust", "Show your hooks; say which may run."),
    "doctor": ("walkaway.cli.tend", "doctor", "Look for what is wrong, and say how to mend it."),
    "playback": ("walkaway.cli.tend", "playback", "Serve a scripted model on loopback, for tests and demos."),
    "demo": ("walkaway.cli.tend", "demo", "Watch a small project being built by a scripted model."),
    "chaos": ("walkaway.cli.tend", "chaos", "Break things on purpose, and see that no work is lost."),
}
"""Name -> where it is, and its line of help: `--help` imports none of them."""

HELP = """\
Run it. Walk away. Come back to finished, verified, merged work.

\b
  walkaway init                 once, in your project
  walkaway new --spec FILE      hand in what you want
  walkaway auto                 plan, build, verify and merge it, unattended

Exit codes: 0 complete, 1 internal error, 2 usage, 10 blocked, 11 cancelled or paused, 12 budget, 13 stuck,
14 waiting for the provider, 15 time limit.
"""
"""What `--help` says first; \\b keeps the lines of a paragraph apart."""

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the system says where a disk is full, or a person's share of it."""


class Commands(click.Group):
    """A group that imports a command only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order in which a person meets them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        found = getattr(importlib.import_module(module), name)
        return found if isinstance(found, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, _, help_) in COMMANDS.items()])


def version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's own order
    """Print the version and end, where asked to."""
    if wanted and not ctx.resilient_parsing:
        click.echo(f"walkaway {walkaway.__version__}")
        ctx.exit(0)


@click.group(
    cls=Commands, help=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a setting for this command.")
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=version, help="Print the version.")
@click.pass_context
def cli(ctx: click.Context, overrides: tuple[str, ...]) -> None:
    """Take what is said before the command's name."""
    session = ctx.find_object(Session)
    if session is not None:
        session.overrides.extend(overrides)


def run(args: Sequence[str]) -> int:
    """Run one command line and return the exit code; whatever happens, a run with ``--json`` says how it ended."""
    session = Session(args)
    if not session.is_run:
        return _guarded(args, session)
    with Signals(err, lambda: _give_up(session)) as session.signals:
        return _guarded(args, session)


def _guarded(args: Sequence[str], session: Session) -> int:
    """Turn every way to end into an exit code, and into a result line where one is owed."""
    try:
        return _call(args, session)
    except click.exceptions.NoArgsIsHelpError as error:  # its message is the whole help
        ended = exits.USAGE
        err(error.format_message())
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "walkaway"
        ended = exits.USAGE
        err(f"walkaway: {error.format_message()}\nSee {where} --help.")
    except click.ClickException as error:
        ended = exits.USAGE
        err(f"walkaway: {error.format_message()}")
    except WalkawayError as error:
        ended = exits.of_error(error)
        err(f"walkaway: {error}")
        session.finish(ended, str(error))
        return ended.code
    except (click.Abort, KeyboardInterrupt) as error:
        ended = exits.CANCELLED
        err(f"walkaway: {str(error) or 'interrupted.'}")
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the process ends, a moment later
        return 0
    except Exception as error:  # noqa: BLE001 - the outermost frame: a defect becomes a sentence, a file and exit 1
        ended = exits.INTERNAL
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            ended = exits.of_status("blocked")
            err(f"walkaway: {error}. Make room, then run the same command again.")
        else:
            err(f"walkaway: internal error: {type(error).__name__}: {error}. {_keep_traceback()}")
    session.finish(ended)
    return ended.code


def _call(args: Sequence[str], session: Session) -> int:
    try:
        with cli.make_context("walkaway", list(args), obj=session) as ctx:
            code: object = cli.invoke(ctx)
    except click.exceptions.Exit as end:
        return end.exit_code
    return code if isinstance(code, int) else 0


def _give_up(session: Session) -> None:
    """End a run that was told to stop and does not: what it did is durable, what it was doing is done again."""
    err("walkaway: the run did not stop in time and was ended; walkaway auto goes on where it stood.")
    session.finish_now(exits.CANCELLED)
    os._exit(exits.CANCELLED.code)


def _keep_traceback() -> str:
    """Write the traceback where the project keeps such things and return a sentence that says where."""
    from walkaway import layout  # noqa: PLC0415 - only for what must not happen
    from walkaway.redact import redact  # noqa: PLC0415

    try:
        folder = layout.find().crashes
        os.makedirs(folder, exist_ok=True)
    except (WalkawayError, OSError):
        folder = tempfile.gettempdir()
    path = os.path.join(folder, f"walkaway-crash-{SystemClock().now():.0f}-{os.getpid()}.txt")
    text = redact(traceback.format_exc())
    try:
        with open(path, "w", encoding="utf-8") as sink:
            sink.write(f"walkaway {walkaway.__version__}, Python {sys.version}\n\n{text}")
    except OSError:
        return f"The traceback could not be kept:\n{text}"
    return f"This is a defect of walkaway; the traceback is in {path}."
