"""`capture`, `override` and `quick`: saying something while the work goes on."""

import click

from walkaway import app
from walkaway.cli import options
from walkaway.cli.live import one_line
from walkaway.cli.project import project_of
from walkaway.cli.say import out, out_json
from walkaway.cli.session import Session
from walkaway.commands import wish as wishing
from walkaway.commands import workflow as beginning
from walkaway.commands.command import Command
from walkaway.commands.new import title_of
from walkaway.core.errors import Usage
from walkaway.core.ids import Scope
from walkaway.core.plan import command as judging
from walkaway.views.wishes import wish_json, wishes
from walkaway.workflows.definition import Definition, StepDefinition
from walkaway.workflows.plan import facts

_MILESTONE = click.option("--milestone", metavar="ID", help="Of this milestone (default: the one that is worked on).")


def _run(session: Session, command: Command[wishing.Form], text: str, milestone: str | None) -> None:
    opened = app.open_project(session.overrides)
    try:
        out(command.run(project_of(opened), wishing.Form(text=text, milestone=options.milestone(milestone))))
    finally:
        opened.close()


@click.command(short_help="Throw in a thought; it is sorted in before the next unit.")
@click.argument("text", default="")
@_MILESTONE
@options.as_json("Print what was thrown in, and what became of it, as one JSON object.")
@options.settings
@click.pass_obj
def capture(session: Session, text: str, milestone: str | None, json_: bool) -> None:  # noqa: FBT001 - click's way
    """Throw in TEXT while the work goes on; without TEXT show what was thrown in, and what became of it.

    Before the next unit an agent sorts it in: a task more, a slice planned anew, a small job of its own, something for
    later, or a note. You are asked before it changes the plan. One word (stop, halt, pause) pauses the work at once.
    """
    if text:
        _run(session, wishing.CAPTURE, text, milestone)
        return
    opened = app.open_project(session.overrides)
    try:
        found = wishes(opened.store.snapshot(Scope(row.id)) for row in opened.store.overview().milestones)
    finally:
        opened.close()
    if json_:
        out_json({"v": 1, "captures": [wish_json(shown) for shown in found]})
        return
    if not found:
        out("Nothing was thrown in. Throw something in with: walkaway capture 'TEXT'")
    for shown in found:
        why = f": {shown.why}" if shown.why else ""
        out(f"{shown.id:<10} {shown.kind:<9} {one_line(shown.text)}\n    {shown.became}{why}")


@click.command(short_help="Say what counts from now on, whatever the plan says.")
@click.argument("text")
@_MILESTONE
@options.settings
@click.pass_obj
def override(session: Session, text: str, milestone: str | None) -> None:
    """Say TEXT to every agent of a milestone from the next unit on; the open plans are brought in line first."""
    _run(session, wishing.OVERRIDE, text, milestone)


@click.command(short_help="Hand in one small task; no planning.")
@click.argument("text")
@click.option("--verify", default="", metavar="COMMAND", help="A command that shows that it is done.")
@options.settings
@click.pass_obj
def quick(session: Session, text: str, verify: str) -> None:
    """Hand in TEXT as one task and print the id of its milestone: no research, no plan, no slices.

    It is done, checked and merged like any work, by walkaway auto.
    """
    if not text.strip():
        raise Usage("Say what is to be done, in your own words.")
    if verify and (wrong := judging.wrong(verify)):
        raise Usage(f"--verify {wrong}; write one command that exits with 0 when the task is done.")
    policy = {"policy": "shell-command", "command": verify} if verify else {}
    step = StepDefinition(id="do", name=title_of(text), prompt=text, verify=policy)
    definition = Definition(name=title_of(text), description=text, steps=(step,), params={})
    form = beginning.Form(title=title_of(text), definition=text, plan=lambda milestone: facts(definition, milestone))
    opened = app.open_project(session.overrides)
    try:
        out(beginning.COMMAND.run(project_of(opened), form))
    finally:
        opened.close()
