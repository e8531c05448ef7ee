"""`skip`, `defer` and `reopen`: saying of a slice or task that it is not to be done, or that it is."""

import click

from walkaway import app
from walkaway.cli import options
from walkaway.cli.project import project_of
from walkaway.cli.say import out
from walkaway.cli.session import Session
from walkaway.commands import reshape
from walkaway.commands.command import Command

_REASON = click.option("--reason", default="", metavar="TEXT", help="Why; it stands in the plan and the journal.")


def _run(session: Session, command: Command[reshape.Form], target: str, reason: str) -> None:
    opened = app.open_project(session.overrides)
    try:
        out(command.run(project_of(opened), reshape.Form(target=target, reason=reason)))
    finally:
        opened.close()


@click.command(short_help="Give up a slice or task.")
@click.argument("target")
@_REASON
@options.settings
@click.pass_obj
def skip(session: Session, target: str, reason: str) -> None:
    """Give up TARGET, a slice (M001/S02) or task (M001/S02/T01): it is not done, and what depends on it may start."""
    _run(session, reshape.SKIP, target, reason)


@click.command(short_help="Leave a slice for later.")
@click.argument("target")
@_REASON
@options.settings
@click.pass_obj
def defer(session: Session, target: str, reason: str) -> None:
    """Leave TARGET, a slice (M001/S02), for later: its milestone ends without it; what depends on it waits."""
    _run(session, reshape.DEFER, target, reason)


@click.command(short_help="Have a slice or task done after all, or again.")
@click.argument("target")
@_REASON
@options.settings
@click.pass_obj
def reopen(session: Session, target: str, reason: str) -> None:
    """Have TARGET done that was skipped or deferred; or once more, with all its tasks, where it is complete."""
    _run(session, reshape.REOPEN, target, reason)
