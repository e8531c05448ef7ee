"""`workers`, `pause`, `stop`, `cancel` and `steer`: seeing who is at work, and directing it, from any terminal."""

from collections.abc import Callable
from typing import TypeVar

import click

from walkaway import app
from walkaway.cli import options
from walkaway.cli.project import project_of
from walkaway.cli.say import clock, out, out_json
from walkaway.cli.session import Session
from walkaway.commands import cancel as cancelling
from walkaway.commands import pause as pausing
from walkaway.commands import steer as steering
from walkaway.commands import stop as stopping
from walkaway.commands.command import Command
from walkaway.redact import redact
from walkaway.views.workers import WorkerShown, worker_json

P = TypeVar("P")
F = TypeVar("F", bound=Callable[..., object])

_MILESTONE = click.option("--milestone", metavar="ID", help="Only this milestone (default: the whole project).")
_REASON = click.option("--reason", default="", metavar="TEXT", help="Why; it is shown to whoever comes next.")
_NOW = click.option("--now", is_flag=True, help="End the running unit, too; no attempt is consumed.")


def _run(session: Session, command: Command[P], form: P) -> None:
    opened = app.open_project(session.overrides)
    try:
        out(command.run(project_of(opened), form))
    finally:
        opened.close()


@click.command(short_help="Show who is at work, and at what.")
@options.as_json("Print one JSON object.")
@options.settings
@click.pass_obj
def workers(session: Session, json_: bool) -> None:  # noqa: FBT001 - click hands options in by name
    """Show every worker: what it is doing, how old its lease is, and when it was last heard."""
    opened = app.open_project(session.overrides)
    try:
        found = opened.workers()
    finally:
        opened.close()
    if json_:
        out_json({"v": 1, "workers": [worker_json(shown) for shown in found]})
        return
    if not found:
        out("No worker is at work. Start one with: walkaway auto")
    for shown in found:
        out(_line(shown))


def _line(shown: WorkerShown) -> str:
    row = shown.row
    state = click.style("dead" if shown.dead else row.status, fg="red" if shown.dead else "green")
    doing = row.unit or ("between units" if shown.milestone else "without a milestone")
    lease = f", lease {clock(shown.lease_age_s)} old (token {shown.fencing_token})" if shown.lease_age_s else ""
    where = f"{shown.milestone}: " if shown.milestone else ""
    return (
        f"{row.id}  {state}  {where}{doing}\n    {row.host}, pid {row.pid}, heard {clock(shown.beat_age_s)} ago{lease}"
    )


@click.command(short_help="Let no unit begin until you resume.")
@_MILESTONE
@_REASON
@_NOW
@options.settings
@click.pass_obj
def pause(session: Session, milestone: str | None, reason: str, now: bool) -> None:  # noqa: FBT001 - as above
    """Pause: running units are finished (with --now: ended), and none begins until walkaway resume.

    It holds for workers on every host, also for those started later.
    """
    _run(session, pausing.COMMAND, pausing.Form(milestone=options.milestone(milestone), reason=redact(reason), now=now))


@click.command(short_help="End the runs under way.")
@_MILESTONE
@_REASON
@_NOW
@options.settings
@click.pass_obj
def stop(session: Session, milestone: str | None, reason: str, now: bool) -> None:  # noqa: FBT001 - as above
    """Stop: running units are finished (with --now: ended), then the workers go. walkaway auto begins anew."""
    _run(
        session, stopping.COMMAND, stopping.Form(milestone=options.milestone(milestone), reason=redact(reason), now=now)
    )


@click.command(short_help="End the running unit; it is begun again.")
@_MILESTONE
@options.settings
@click.pass_obj
def cancel(session: Session, milestone: str | None) -> None:
    """Cancel the running unit: it ends now, no attempt is consumed, and it is begun again in a fresh context."""
    _run(session, cancelling.COMMAND, cancelling.Form(milestone=options.milestone(milestone)))


@click.command(short_help="Say something to the agent at work.")
@click.argument("text")
@_MILESTONE
@options.settings
@click.pass_obj
def steer(session: Session, text: str, milestone: str | None) -> None:
    """Say TEXT to the agent at work, before its next model call."""
    _run(session, steering.COMMAND, steering.Form(text=text, milestone=options.milestone(milestone)))
