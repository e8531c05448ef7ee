"""`status`, `log`, `units` and `brief`: looking, without changing anything."""

import json

import click

from walkaway import app, shown
from walkaway.cli import board as drawing
from walkaway.cli import options
from walkaway.cli.say import clock, money, out, out_json, tokens
from walkaway.cli.session import Session
from walkaway.core.ids import Scope
from walkaway.views import brief as views
from walkaway.views.timeline import line
from walkaway.views.units import RunRow, run_json

POLL_S = 1.0


@click.command(short_help="Show where the project stands.")
@options.settings
@click.pass_obj
def status(session: Session) -> None:
    """Show milestones, slices and tasks, what comes next, what waits for you, what was spent, and who is at work."""
    opened = app.open_project(session.overrides)
    try:
        out(drawing.draw(opened.board(), drawing.Around(place=opened.place.root, model=opened.model_name)))
    finally:
        opened.close()


@click.command(short_help="Show the journal: every fact, in order.")
@click.option("--follow", "-f", is_flag=True, help="Go on showing facts as they are recorded; Ctrl-C ends it.")
@options.as_json("Print one JSON object per fact.")
@options.settings
@click.pass_obj
def log(session: Session, follow: bool, json_: bool) -> None:  # noqa: FBT001 - click hands options in by name
    """Show the journal: every fact that was ever recorded, in order."""
    opened = app.open_project(session.overrides)
    seen: dict[Scope, int] = {}
    try:
        while True:
            for entry in opened.store.journal(seen):
                seen[entry.scope] = max(entry.rev, seen.get(entry.scope, 0))
                if json_:
                    out_json(app.journal_line(entry))
                else:
                    out(line(entry.at, entry.scope, entry.type, json.loads(entry.body)))
            if not follow:
                return
            opened.store.wait(POLL_S)
    except KeyboardInterrupt:
        if not follow:
            raise
    finally:
        opened.close()


@click.command(short_help="Show the runs of every unit, and what kinds of unit there are.")
@options.as_json("Print kinds with grant, tools, schemas and a sample report, and the runs, as one JSON object.")
@options.settings
@click.pass_obj
def units(session: Session, json_: bool) -> None:  # noqa: FBT001 - as above
    """Show every run of every unit with attempt, status, time and cost; outside a project, the kinds of unit."""
    opened = app.project_if_any(session.overrides)
    try:
        rows = opened.runs() if opened else {}
    finally:
        if opened:
            opened.close()
    if json_:
        told = {"v": 1, "units": shown.kinds(), "milestones": {m: [run_json(r) for r in rs] for m, rs in rows.items()}}
        out_json(told)
        return
    if not rows:
        for kind, purpose in shown.purposes():
            out(f"{kind:<20} {purpose}")
    for milestone, found in rows.items():
        out(click.style(milestone, bold=True))
        for row in found:
            out(_row(row))


@click.command(short_help="Show what an agent is told for a unit, and how large it is.")
@click.argument("unit", metavar="[KIND TARGET]", nargs=-1)
@click.option("--sizes", is_flag=True, help="Print the bytes of each part instead of the text.")
@options.as_json("Print texts and sizes as one JSON object.")
@options.settings
@click.pass_obj
def brief(session: Session, unit: tuple[str, ...], sizes: bool, json_: bool) -> None:  # noqa: FBT001 - as above
    """Show what an agent would be told now for a unit (execute-task M001/S01/T01; default: the next one).

    Nothing begins. What a run that was cut off has told of itself is added when the unit begins.
    """
    opened = app.open_project(session.overrides)
    try:
        told = shown.brief(opened, " ".join(unit))
    finally:
        opened.close()
    parts = views.sizes(told)
    if json_:
        out_json(views.brief_json(told, parts))
    elif sizes:
        out(click.style(told.unit, bold=True))
        for part, size in parts:
            out(f"{size:>8,}  {part}")
        out(f"{sum(size for _, size in parts):>8,}  bytes in all")
    else:
        out(f"{told.system}\n\n-----\n\n{told.prompt}".rstrip("\n"))


def _row(r: RunRow) -> str:
    colour = {"completed": "green", "failed": "red", "stuck": "red"}.get(r.status, "yellow")
    spent = tokens(r.usage.input_tokens + r.usage.output_tokens)
    checks = f"{r.checks[0]}/{r.checks[1]} checks" if r.checks[1] else ""
    told = f"  {r.unit:<36} {r.attempt}  {click.style(f'{r.status:<9}', fg=colour)} {clock(r.seconds):>8}  {spent:>13}"
    first = f"{told}  {money(r.usage.usd):>9}  {checks}".rstrip()
    return f"{first}\n      {r.why}" if r.why else first
