"""`workflow`: plans that people write themselves, in YAML."""

import click

from walkaway import app, workflows
from walkaway.cli import options
from walkaway.cli.project import project_of
from walkaway.cli.say import out, out_json
from walkaway.cli.session import Session
from walkaway.commands import workflow as beginning
from walkaway.core.errors import Usage
from walkaway.workflows import Definition, Found
from walkaway.workflows.plan import facts


@click.group(short_help="Run a plan that you wrote yourself, in YAML.")
def workflow() -> None:
    """Run a plan that you wrote yourself: steps in YAML, each done by an agent, judged, and merged like any work.

    They are looked for in .walkaway/workflows, in walkaway's folder of your settings, and among those that come with
    walkaway; a file is named by its path.
    """


@workflow.command("list")
@options.as_json("Print the list as JSON.")
def list_(json_: bool) -> None:  # noqa: FBT001 - click hands options in by name
    """Show the workflows that there are, where each comes from, and which parameters it takes."""
    rows = [_row(found) for found in workflows.listed(app.workflow_folders())]
    if json_:
        out_json({"v": 1, "workflows": rows})
        return
    width = max(len(str(row["name"])) for row in rows)
    for row in rows:
        out(f"{row['name']:<{width}}  {row['description'] or row['fault']}")
        params = row["params"]
        out(f"{'':<{width}}  {row['origin']}{f'; takes {params}' if params else ''}")


def _row(found: Found) -> dict[str, str]:
    row = {"name": found.name, "origin": found.origin, "description": "", "params": "", "fault": ""}
    try:
        description, params = workflows.about(found.text)
    except Usage as error:
        return {**row, "fault": str(error)}
    return {**row, "description": description, "params": " ".join(params)}


@workflow.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Print the workflow NAME, as it is written."""
    out(_found(name).text.rstrip("\n"))


@workflow.command("check")
@click.argument("name")
@click.argument("params", metavar="[KEY=VALUE]...", nargs=-1)
def check(name: str, params: tuple[str, ...]) -> None:
    """Say whether NAME could be run with these parameters; if not, every reason. Nothing is begun."""
    definition = _read(_found(name), params)
    out(f"{definition.name} can be run: {', '.join(step.id for step in definition.steps)}.")


@workflow.command("run")
@click.argument("name")
@click.argument("params", metavar="[KEY=VALUE]...", nargs=-1)
@options.settings
@click.pass_obj
def run(session: Session, name: str, params: tuple[str, ...]) -> None:
    """Begin a run of NAME as the next milestone and print its id; walkaway auto works on it.

    The definition is kept with the run: changing the file later changes no run.
    """
    found = _found(name)
    definition = _read(found, params)
    form = beginning.Form(
        title=definition.name,
        definition=_frozen(found, definition),
        plan=lambda milestone: facts(definition, milestone),
    )
    opened = app.open_project(session.overrides)
    try:
        out(beginning.COMMAND.run(project_of(opened), form))
    finally:
        opened.close()


def _found(name: str) -> Found:
    return workflows.find(name, app.workflow_folders())


def _read(found: Found, params: tuple[str, ...]) -> Definition:
    given: dict[str, str] = {}
    for each in params:
        key, equals, value = each.partition("=")
        if not equals or not key:
            raise Usage(f"'{each}' is no parameter: write KEY=VALUE.")
        given[key] = value
    return workflows.read(found.text, given)


def _frozen(found: Found, definition: Definition) -> str:
    """Return the definition as it was read, with the parameters of this run: what the run's context shows."""
    params = "".join(f"- {key}: {value}\n" for key, value in definition.params.items())
    return f"Workflow {found.name} ({found.origin})\n\n{params}\n```yaml\n{found.text.rstrip()}\n```\n"
