"""`auto` and `next`: start a worker, show what it does, tell how it ended."""

import click

from walkaway import app
from walkaway.cli import exits, options, render
from walkaway.cli.live import Live
from walkaway.cli.say import is_terminal, out
from walkaway.cli.session import Session
from walkaway.core.errors import WalkawayError
from walkaway.views.result import Totals

_JSON = "Print progress and the result as lines of JSON."


@click.command(short_help="Work until everything is complete or something needs you.")
@click.option("--milestone", metavar="ID", help="Only this milestone.")
@click.option("--target", metavar="BRANCH", help="The branch to integrate into (default: the one checked out).")
@click.option("--max-units", type=click.IntRange(min=1), metavar="N", help="Stop after this many finished units.")
@click.option("--max-cost", type=float, metavar="USD", callback=options.usd, help="Stop when this run has spent that.")
@click.option("--time-limit", metavar="30m", callback=options.seconds, help="Stop after this time.")
@click.option("--no-wait", is_flag=True, help="Do not sit out a provider's limit: exit 14.")
@options.as_json(_JSON)
@options.settings
@click.pass_obj
def auto(
    session: Session,
    milestone: str | None,
    target: str | None,
    max_units: int | None,
    max_cost: float | None,
    time_limit: float | None,
    no_wait: bool,  # noqa: FBT001 - click hands options in by name
    json_: bool,  # noqa: FBT001
) -> int:
    """Plan, build, verify and merge, milestone after milestone, until everything is complete or something needs you.

    Ctrl-C finishes the running unit and stops; a second Ctrl-C ends it at once. Nothing is lost either way, nor by a
    crash: the next run goes on where this one stood.
    """
    del json_  # the session has seen it already, before anything could go wrong
    wanted = app.RunOptions(
        milestone=options.milestone(milestone),
        target=target,
        units=max_units,
        usd=max_cost,
        seconds=time_limit,
        wait=not no_wait,
    )
    return start(session, wanted)


@click.command("next", short_help="Do one unit.")
@options.as_json(_JSON)
@options.settings
@click.pass_obj
def next_(session: Session, json_: bool) -> int:  # noqa: FBT001 - as above
    """Do one unit of work, with its verification, and stop."""
    del json_
    return start(session, app.RunOptions(step=True))


def start(session: Session, wanted: app.RunOptions) -> int:
    """Run a worker to its end and return the exit code."""
    session.milestone = wanted.milestone
    session.app = opened = app.open_project(session.overrides)
    try:
        ended = _work(session, opened, wanted)
        exit_ = exits.of_status(ended.status)
        result = session.finish(exit_, ended.detail, _totals(ended))
    except WalkawayError as error:
        session.finish(exits.of_error(error), str(error))
        raise
    finally:
        opened.close()
    if not session.json:
        out(render.ending(result))
    return exit_.code


def _totals(ended: app.Ended) -> Totals:
    return Totals(units=ended.units, commits=ended.commits, usage=ended.usage, duration_s=ended.duration_s)


def _work(session: Session, opened: app.App, wanted: app.RunOptions) -> app.Ended:
    with Live(session, show=is_terminal()) as live:
        runner = opened.runner(live.tell, wanted.target)
        if session.signals:
            session.signals.arm(runner)
        return runner.run(wanted)
