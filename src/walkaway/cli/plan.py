"""`skip`, `defer`, `reopen` and `gates`: saying of a part of the plan what is to become of it."""

import click

from walkaway import app
from walkaway.cli import options
from walkaway.cli.project import project_of
from walkaway.cli.say import out, out_json
from walkaway.cli.session import Session
from walkaway.commands import gates as gating
from walkaway.commands import reshape
from walkaway.commands.command import Command
from walkaway.views.gates import GateShown, gate_json

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


# ---- gates --------------------------------------------------------------------------------------------------------

_COLOURS = {"pending": "yellow", "confirmed": "green", "declined": "red", "revoked": "red"}


@click.group(short_help="Show the gates; confirm one, or open it again.", invoke_without_command=True)
@options.as_json("Print one JSON object.")
@options.settings
@click.pass_context
def gates(ctx: click.Context, json_: bool) -> None:  # noqa: FBT001 - click hands options in by name
    """Show every gate that was asked, and whether it is pending, confirmed, declined or revoked.

    While a gate is pending its milestone waits. Only its first answer, confirm, lets what it holds go on; asking it
    again revokes that.
    """
    if ctx.invoked_subcommand:
        return
    session = ctx.ensure_object(Session)
    opened = app.open_project(session.overrides)
    try:
        found = opened.gates()
    finally:
        opened.close()
    if json_:
        out_json({"v": 1, "gates": [gate_json(shown) for shown in found]})
        return
    if not found:
        out("No gate was asked.")
    for shown in found:
        out(_asking(shown))


@gates.command("confirm", short_help="Confirm a gate that is pending.")
@click.argument("gate")
@options.settings
@click.pass_obj
def confirm_gate(session: Session, gate: str) -> None:
    """Confirm GATE (as in depth:M001), and nothing but what it holds."""
    _gate(session, gating.CONFIRMING, gating.Form(gate=gate))


@gates.command("reopen", short_help="Open a gate again; what was confirmed is revoked.")
@click.argument("gate")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is shown to whoever answers.")
@options.settings
@click.pass_obj
def reopen_gate(session: Session, gate: str, reason: str) -> None:
    """Open GATE again: it is pending, what was confirmed before is revoked, and an agent at work may only ask it."""
    _gate(session, gating.REOPENING, gating.Form(gate=gate, reason=reason))


def _gate(session: Session, command: Command[gating.Form], form: gating.Form) -> None:
    opened = app.open_project(session.overrides)
    try:
        out(command.run(project_of(opened), form))
    finally:
        opened.close()


def _asking(shown: GateShown) -> str:
    state = click.style(f"{shown.status:<9}", fg=_COLOURS[shown.status])
    by = f"  by {shown.by}" if shown.by else ""
    said = f"{shown.gate:<16} {state}  {shown.question}{by}"
    return f"{said}\n    walkaway gates confirm {shown.gate}" if shown.status == "pending" else said
