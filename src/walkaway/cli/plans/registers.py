"""`decisions`, `requirements` and `memory`: what the project knows beside its plans."""

from typing import TypeVar

import click

from walkaway import app
from walkaway.cli import options
from walkaway.cli.project import project_of
from walkaway.cli.say import out, out_json
from walkaway.cli.session import Session
from walkaway.commands import registers as registering
from walkaway.commands.command import Command
from walkaway.core.errors import Usage
from walkaway.core.registers.model import CATEGORIES, CLASSES, STATUSES, Registers
from walkaway.core.registers.search import search, texts_of
from walkaway.redact import redact
from walkaway.views.registers import decision_line, memory_json, memory_line, requirement_line, row_json

P = TypeVar("P")
FOUND_MOST = 10


def _run(session: Session, command: Command[P], form: P, *texts: str | None) -> None:
    """Run a command, unless one of the texts that would be told to models holds what looks like a secret."""
    if any(redact(text) != text for text in texts if text):
        raise Usage("That looks as if it holds a secret, which would be told to models; say it without.")
    opened = app.open_project(session.overrides)
    try:
        out(command.run(project_of(opened), form))
    finally:
        opened.close()


def _read(ctx: click.Context) -> Registers:
    opened = app.open_project(ctx.ensure_object(Session).overrides)
    try:
        return opened.store.registers()
    finally:
        opened.close()


# ---- decisions ----------------------------------------------------------------------------------------------------


@click.group(short_help="Show what was decided; enter a decision.", invoke_without_command=True)
@click.option("--all", "all_", is_flag=True, help="Show what was superseded, too.")
@options.as_json("Print one JSON object.")
@options.settings
@click.pass_context
def decisions(ctx: click.Context, all_: bool, json_: bool) -> None:  # noqa: FBT001 - click hands options in by name
    """Show the decisions of the project: what was chosen, by people and by agents, and why."""
    if ctx.invoked_subcommand:
        return
    r = _read(ctx)
    shown = tuple(r.decisions.values()) if all_ or json_ else r.current()
    if json_:
        out_json({"v": 1, "decisions": [row_json(d) for d in shown]})
        return
    out("\n".join(map(decision_line, shown)) or "Nothing was decided yet.")


@decisions.command("add", short_help="Enter a decision.")
@click.argument("decision")
@click.option("--choice", required=True, metavar="TEXT", help="What was chosen.")
@click.option("--topic", default="", metavar="TEXT", help="What it is about, in a word or two.")
@click.option("--rationale", default="", metavar="TEXT", help="Why.")
@click.option("--revisable", default="", metavar="TEXT", help="Whether it may be revised, and when.")
@click.option("--supersedes", default="", metavar="ID", help="The decision that it takes the place of.")
@options.settings
@click.pass_obj
def decide(session: Session, decision: str, **given: str) -> None:
    """Enter that of DECISION something was chosen: walkaway decisions add "Export format" --choice CSV."""
    _run(session, registering.DECIDE, registering.Deciding(decision=decision, **given), decision, *given.values())


# ---- requirements -------------------------------------------------------------------------------------------------


@click.group(short_help="Show what the project has to do; enter or change it.", invoke_without_command=True)
@options.as_json("Print one JSON object.")
@options.settings
@click.pass_context
def requirements(ctx: click.Context, json_: bool) -> None:  # noqa: FBT001 - click hands options in by name
    """Show the requirements of the project, the slice that covers each, and what shows that it is done."""
    if ctx.invoked_subcommand:
        return
    r = _read(ctx)
    if json_:
        out_json({"v": 1, "requirements": [row_json(each) for each in r.requirements.values()]})
        return
    out("\n".join(map(requirement_line, r.requirements.values())) or "Nothing is required yet.")


@requirements.command("add", short_help="Enter a requirement.")
@click.argument("description")
@click.option("--class", "kind", type=click.Choice(CLASSES), default=CLASSES[0], help="What kind it is.")
@click.option("--status", type=click.Choice(STATUSES), default=STATUSES[0])
@click.option("--why", default="", metavar="TEXT", help="Why it matters.")
@click.option("--source", default="user", metavar="TEXT", help="Where it comes from.")
@click.option("--owner", default="", metavar="SLICE", help="The slice that covers it.")
@click.option("--notes", default="", metavar="TEXT")
@options.settings
@click.pass_obj
def add_requirement(session: Session, description: str, **given: str) -> None:
    """Enter that the project has to do what DESCRIPTION says."""
    form = registering.Requiring(description=description, **given)
    _run(session, registering.REQUIRE, form, description, *given.values())


@requirements.command("update", short_help="Change a requirement.")
@click.argument("id_", metavar="ID")
@click.option("--status", type=click.Choice(STATUSES))
@click.option("--description", metavar="TEXT")
@click.option("--owner", metavar="SLICE", help="The slice that covers it.")
@click.option("--validation", metavar="TEXT", help="What shows that it is done.")
@click.option("--notes", metavar="TEXT")
@options.settings
@click.pass_obj
def change_requirement(session: Session, id_: str, **given: str | None) -> None:
    """Change the requirement ID; what is not named stays as it is."""
    _run(session, registering.CHANGE, registering.Changing(id=id_, **given), *given.values())


# ---- memory -------------------------------------------------------------------------------------------------------


@click.group(short_help="Show what is remembered; add, forget, search.", invoke_without_command=True)
@options.as_json("Print one JSON object.")
@options.settings
@click.pass_context
def memory(ctx: click.Context, json_: bool) -> None:  # noqa: FBT001 - click hands options in by name
    """Show what was found worth remembering, the most useful first.

    What is looked up counts for more; what nobody looks up fades. At most fifty are told.
    """
    if ctx.invoked_subcommand:
        return
    r = _read(ctx)
    if json_:
        out_json({"v": 1, "memories": [memory_json(r, m) for m in r.active()]})
        return
    out("\n".join(memory_line(r, m) for m in r.active()) or "Nothing is remembered yet.")


@memory.command("add", short_help="Keep something worth knowing.")
@click.argument("content")
@click.option("--category", type=click.Choice(CATEGORIES), default="convention")
@click.option("--confidence", type=float, default=0.8, metavar="N", help="How sure it is, 0.1 to 0.99.")
@options.settings
@click.pass_obj
def remember(session: Session, content: str, category: str, confidence: float) -> None:
    """Keep CONTENT, which later agents are told."""
    form = registering.Remembering(content=content, category=category, confidence=confidence)
    _run(session, registering.REMEMBER, form, content)


@memory.command("forget", short_help="Tell a memory no more.")
@click.argument("id_", metavar="ID")
@click.option("--reason", default="A person said so.", metavar="TEXT", help="Why; it stands in the journal.")
@options.settings
@click.pass_obj
def forget(session: Session, id_: str, reason: str) -> None:
    """Tell the memory ID to no agent any more."""
    _run(session, registering.FORGET, registering.Forgetting(id=id_, reason=reason), reason)


@memory.command("search", short_help="Search decisions, requirements and memories.")
@click.argument("words", nargs=-1, required=True)
@options.as_json("Print one JSON object.")
@options.settings
@click.pass_context
def find(ctx: click.Context, words: tuple[str, ...], json_: bool) -> None:  # noqa: FBT001 - click hands options in by name
    """Show what the registers say about WORDS, the best fit first."""
    found = search(texts_of(_read(ctx)), " ".join(words), FOUND_MOST)
    if json_:
        out_json({"v": 1, "found": [{"id": each.id, "text": each.text} for each in found]})
        return
    out("\n".join(f"{each.id}  {each.text}" for each in found) or "Nothing was found.")
