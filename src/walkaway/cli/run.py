"""`auto`, `next` and `resume`: start workers, show what they do, tell how it ended."""

import os
from dataclasses import replace

import click

from walkaway import app
from walkaway.cli import exits, options, render
from walkaway.cli.live import Live
from walkaway.cli.say import is_terminal, out
from walkaway.cli.session import Session
from walkaway.core.errors import Usage, WalkawayError
from walkaway.core.fleet.pause import Pause, chosen
from walkaway.core.ids import PROJECT_SCOPE, MilestoneId, Scope
from walkaway.core.model import MilestoneStatus
from walkaway.views.result import Totals

_JSON = "Print progress and the result as lines of JSON."
_WORKERS = click.option(
    "--workers", type=click.IntRange(min=1), default=1, metavar="N", help="So many workers, each on its own milestone."
)


@click.command(short_help="Work until everything is complete or something needs you.")
@click.option("--milestone", metavar="ID", help="Only this milestone.")
@click.option("--target", metavar="BRANCH", help="The branch to integrate into (default: the one checked out).")
@_WORKERS
@click.option("--max-units", type=click.IntRange(min=1), metavar="N", help="Stop after this many finished units.")
@click.option("--max-cost", type=float, metavar="USD", callback=options.usd, help="Stop when this run has spent that.")
@click.option("--time-limit", metavar="30m", callback=options.seconds, help="Stop after this time.")
@options.answers
@click.option("--no-wait", is_flag=True, help="Do not sit out a provider's limit: exit 14.")
@click.option("--member", is_flag=True, hidden=True, help="One of several workers.")
@click.option("--since", type=int, hidden=True, help="When the run of several began.")
@click.option("--resume", "resumed", hidden=True, help="What the run of several resumes.")
@options.as_json(_JSON)
@options.settings
@click.pass_obj
def auto(
    session: Session,
    milestone: str | None,
    target: str | None,
    workers: int,
    max_units: int | None,
    max_cost: float | None,
    time_limit: float | None,
    answers: options.Answered,
    no_wait: bool,  # noqa: FBT001 - click hands options in by name
    member: bool,  # noqa: FBT001
    since: int | None,
    resumed: str | None,
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
        answers=answers.words,
        answers_file=answers.path,
        wait=not no_wait,
        member=member,
        since=since,
        resume=Scope(resumed) if resumed else None,
    )
    return start(session, wanted, workers)


@click.command("next", short_help="Do one unit.")
@options.as_json(_JSON)
@options.settings
@click.pass_obj
def next_(session: Session, json_: bool) -> int:  # noqa: FBT001 - as above
    """Do one unit of work, with its verification, and stop."""
    del json_
    return start(session, app.RunOptions(step=True))


@click.command(short_help="Go on with what was paused.")
@click.option("--milestone", metavar="ID", help="What was paused (default: the project, or the only paused milestone).")
@_WORKERS
@options.as_json(_JSON)
@options.settings
@click.pass_obj
def resume(session: Session, milestone: str | None, workers: int, json_: bool) -> int:  # noqa: FBT001 - as above
    """Go on with what was paused, with what was left of its limits and with its model.

    The pause ends when a worker has taken the work up; where that fails it stays.
    """
    del json_
    session.app = opened = app.open_project(session.overrides)
    record = chosen(opened.store.controls.read(), options.milestone(milestone))
    if record is None:
        raise Usage(
            f"{milestone or 'Nothing'} is not paused; walkaway auto works on." if milestone else "Nothing is paused."
        )
    if record.model and not any(word.startswith("model.name=") for word in session.overrides):
        session.overrides.append(f"model.name={record.model}")
    return start(session, _again(session, opened, record), workers)


def _again(session: Session, opened: app.App, record: Pause) -> app.RunOptions:
    """Return the options of a paused run; what its record says that is no longer so is put away, with a word."""
    rows = {row.id: row for row in opened.store.overview().milestones}
    restricted = None if record.id == PROJECT_SCOPE else MilestoneId(record.id)
    why = ""
    if restricted and restricted not in rows:
        why = f"{restricted} is gone"
    elif restricted and rows[restricted].status is MilestoneStatus.COMPLETE:
        why = f"{restricted} is complete by now"
    if record.worktree and not os.path.isdir(record.worktree):
        session.warn(f"the checkout {record.worktree} of {record.milestone} is missing; it is made again.")
    left = app.RunOptions(
        milestone=restricted,
        units=record.units_left,
        usd=record.usd_left,
        seconds=record.seconds_left,
        step=record.step,
        resume=record.id,
    )
    if not why:
        return left
    opened.store.controls.drop(record.id, why, "resume")
    session.warn(f"{why}; the pause is put away and the rest is worked on.")
    return replace(left, milestone=None, resume=None)


def start(session: Session, wanted: app.RunOptions, workers: int = 1) -> int:
    """Run workers to their end and return the exit code."""
    session.milestone = wanted.milestone
    session.app = opened = app.open_project(session.overrides)
    try:
        ended = _work(session, opened, wanted, workers)
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


def _work(session: Session, opened: app.App, wanted: app.RunOptions, workers: int) -> app.Ended:
    with Live(session, show=is_terminal()) as live:
        if workers > 1:
            runner = opened.pool(live.tell, workers, session.overrides, wanted.target)
        else:
            runner = opened.runner(live.tell, wanted.target)
        if session.signals:
            session.signals.arm(runner)
        ended = runner.run(wanted)
        if wanted.member:
            live.tell(app.Progress(kind="left", text=ended.detail))
        return ended
