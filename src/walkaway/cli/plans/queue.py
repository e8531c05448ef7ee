"""`queue`, `park`, `unpark`, `discard` and `undo`: which milestone comes when, and taking back what was done."""

import click

from walkaway import app
from walkaway.cli import options
from walkaway.cli.live import one_line
from walkaway.cli.project import project_of
from walkaway.cli.say import out, out_json
from walkaway.cli.session import Session
from walkaway.commands import queue as queueing
from walkaway.commands import undo as undoing
from walkaway.commands.command import Command, P
from walkaway.views.queue import queue_json, queued

_REASON = click.option("--reason", default="", metavar="TEXT", help="Why; it stands in the plan and the journal.")


def _run(session: Session, command: Command[P], form: P) -> None:
    opened = app.open_project(session.overrides)
    try:
        out(command.run(project_of(opened), form))
    finally:
        opened.close()


@click.group(short_help="Show the order of the milestones; change it.", invoke_without_command=True)
@options.as_json("Print one JSON object.")
@options.settings
@click.pass_context
def queue(ctx: click.Context, json_: bool) -> None:  # noqa: FBT001 - click hands options in by name
    """Show the milestones in the order in which they are worked on, why each that waits does, and what is wrong."""
    if ctx.invoked_subcommand:
        return
    opened = app.open_project(ctx.ensure_object(Session).overrides)
    try:
        shown = queued(opened.store.overview())
    finally:
        opened.close()
    if json_:
        out_json(queue_json(shown))
        return
    if not shown.lines:
        out("The queue is empty. Hand in a specification with: walkaway new --spec FILE")
    for line in shown.lines:
        note = f"  {line.why}" if line.why else ""
        out(f"{line.id:<6} {click.style(f'{line.standing:<9}', bold=not line.why)}  {one_line(line.title)}{note}")
    for told in (*shown.wrong, *shown.needless):
        out(click.style(told, fg="yellow"))


@queue.command("move", short_help="Put a milestone before or after another.")
@click.argument("milestone")
@click.option("--before", default="", metavar="ID", help="Right before this milestone.")
@click.option("--after", default="", metavar="ID", help="Right after this milestone.")
@options.settings
@click.pass_obj
def move(session: Session, milestone: str, before: str, after: str) -> None:
    """Put MILESTONE elsewhere in the queue; refused, with the reason, where it would stand before what it needs."""
    _run(session, queueing.MOVE, queueing.Moved(milestone=milestone, before=before, after=after))


@queue.command("after", short_help="Say which milestones must be complete first.")
@click.argument("milestone")
@click.argument("others", metavar="[OTHER]...", nargs=-1)
@options.settings
@click.pass_obj
def after_(session: Session, milestone: str, others: tuple[str, ...]) -> None:
    """Have MILESTONE wait until every OTHER is complete, and for nothing else; without OTHER it waits for none."""
    _run(session, queueing.AFTER, queueing.Ordered(milestone=milestone, after=others))


@click.command(short_help="Leave a milestone for later.")
@click.argument("milestone")
@_REASON
@options.settings
@click.pass_obj
def park(session: Session, milestone: str, reason: str) -> None:
    """Leave MILESTONE as it stands: nothing of it is worked on, and what comes after it waits, until you unpark it."""
    _run(session, queueing.PARK, queueing.Form(milestone=milestone, reason=reason))


@click.command(short_help="Have a parked milestone done after all.")
@click.argument("milestone")
@_REASON
@options.settings
@click.pass_obj
def unpark(session: Session, milestone: str, reason: str) -> None:
    """Have MILESTONE worked on again, from where it was parked."""
    _run(session, queueing.UNPARK, queueing.Form(milestone=milestone, reason=reason))


@click.command(short_help="Give up a milestone for good.")
@click.argument("milestone")
@_REASON
@click.option("--yes", is_flag=True, help="You know that this cannot be taken back.")
@options.settings
@click.pass_obj
def discard(session: Session, milestone: str, reason: str, yes: bool) -> None:  # noqa: FBT001 - as above
    """Give up MILESTONE for good. Its commits stay in git, its facts in the journal; its number is never used again."""
    _run(session, queueing.DISCARD, queueing.Discarded(milestone=milestone, reason=reason, confirmed=yes))


@click.command(short_help="Take back the newest task that was done.")
@click.argument("target")
@_REASON
@options.settings
@click.pass_obj
def undo(session: Session, target: str, reason: str) -> None:
    """Take back TARGET (M001/S02/T01, or M001: whatever was done last there): it is open, its work is off the line.

    Nothing is lost: what was on the line is kept in git under refs/walkaway-rescue. What is integrated stays.
    """
    _run(session, undoing.COMMAND, undoing.Form(target=target, reason=reason))
