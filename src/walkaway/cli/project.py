"""`init`, `new`, `answer`, `query` and `config`: the small commands."""

import getpass
import sys
from pathlib import Path

import click

from walkaway import app, entry
from walkaway.cli import options
from walkaway.cli.say import out, out_json
from walkaway.cli.session import Session
from walkaway.commands import answer as answering
from walkaway.commands import new as handing_in
from walkaway.commands.command import Project
from walkaway.core.errors import Usage
from walkaway.init import initialise


@click.command(short_help="Make a folder a project; harmless twice.")
@click.argument("folder", metavar="[DIR]", required=False)
@click.option("--project", default="", metavar="ID", help="Join a project in PostgreSQL that another host made.")
@options.settings
@click.pass_obj
def init(session: Session, folder: str | None, project: str) -> None:
    """Make DIR (default: the working directory) a project that walkaway can work in.

    A folder without git, or without a commit, becomes a repository with an empty first commit. All that walkaway keeps
    is in the folder .walkaway, which git ignores.
    """
    made = initialise(folder, session.overrides, project)
    for sentence in made.did:
        out(sentence)
    out(f"{made.place.root} is ready. Next: walkaway new --spec FILE")


@click.command(short_help="Hand in a specification; prints the milestone's id.")
@click.option("--spec", required=True, metavar="FILE", help="The specification; - reads it from standard input.")
@click.option("--title", default="", metavar="T", help="A title (default: the specification's first heading or line).")
@click.option("--after", multiple=True, metavar="ID", help="A milestone to be complete first; may be said again.")
@options.settings
@click.pass_obj
def new(session: Session, spec: str, title: str, after: tuple[str, ...]) -> None:
    """Hand in a specification as the next milestone and print its id.

    Write what you want in your own words: what it is for, what it must do, how you will know that it works.
    """
    form = handing_in.Form(spec=_specification(spec), title=title, after=after)
    opened = app.open_project(session.overrides)
    try:
        out(handing_in.COMMAND.run(project_of(opened), form))
    finally:
        opened.close()


@click.command(short_help="Answer a question that the work waits for.")
@click.argument("question")
@click.argument("words", metavar="ANSWER")
@options.settings
@click.pass_obj
def answer(session: Session, question: str, words: str) -> None:
    """Answer QUESTION (its id, or that of a gate) with one of the answers that it takes; walkaway status shows both."""
    opened = app.open_project(session.overrides)
    try:
        out(answering.COMMAND.run(project_of(opened), answering.Form(question=question, words=words)))
    finally:
        opened.close()


@click.command(short_help="Print the state as one JSON object, for programs.")
@click.option("--json", is_flag=True, expose_value=False, help="It always is.")
def query() -> int:
    """Print the state of the project as one JSON object: no model, no side effect."""
    return entry.query()


@click.group(short_help="Show the settings and where each comes from.")
def config() -> None:
    """Show the settings. They are changed in .walkaway/config.toml, or for one command with --set."""


@config.command("show")
@options.as_json("Print a list of settings as JSON.")
@options.settings
@click.pass_obj
def show(session: Session, json_: bool) -> None:  # noqa: FBT001 - click hands options in by name
    """Show every setting, its value, and where that comes from."""
    listed = app.listed_settings(session.overrides)
    if json_:
        told = [{"key": s.key, "value": s.value, "origin": s.origin, "help": s.help} for s in listed]
        out_json({"v": 1, "settings": told})
        return
    width = max(len(s.key) for s in listed)
    for setting in listed:
        value = "(unset)" if setting.value is None else setting.value
        out(f"{setting.key:<{width}}  {value}\n{'':<{width}}  from {setting.origin}; {setting.help}")


def project_of(opened: app.App) -> Project:
    """Return what commands work on, in the name of whoever runs this process."""
    return Project(store=opened.store, policy=opened.policy(), who=_who(), keep=opened.keep)


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        return "somebody"


def _specification(path: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise Usage(f"The specification {path} cannot be read: {error.strerror}.") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Usage(f"The specification {path} is no UTF-8 text (byte {error.start}).") from error
