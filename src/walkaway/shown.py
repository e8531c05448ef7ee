"""What surfaces show that is put together from several rooms: kinds of unit, briefs, plans, and where things come from.

Beside `app` the only module that may know everyone: a brief, for one, is made by the store, the units and the tools.
"""

import json
from dataclasses import asdict
from pathlib import Path

from walkaway.app import App
from walkaway.core.derive import Start, derive
from walkaway.core.errors import Usage
from walkaway.core.ids import NO_SHA, NO_TEXT, MilestoneId, Scope, UnitKey, is_target, milestone_of, parse_unit
from walkaway.core.model import Snapshot
from walkaway.core.retry import Again, next_run
from walkaway.core.unit import Judged, UnitType, find
from walkaway.git import blame
from walkaway.git.repo import Repo
from walkaway.units import UNITS, registers, sections
from walkaway.verify.discover import checks
from walkaway.views.board import Lane, lane_of
from walkaway.views.brief import BriefShown
from walkaway.views.units import ToolShown, kind_json
from walkaway.views.why import Why, way, way_of_decision, way_of_requirement


def purposes() -> list[tuple[str, str]]:
    """Return the kinds of unit and what each is for."""
    return [(unit.kind, unit.purpose) for unit in UNITS]


def kinds() -> list[dict[str, object]]:
    """Return every kind of unit with its grant, tools, the schema of its report and a sample of one."""
    from walkaway.views.samples import SAMPLES  # noqa: PLC0415 - for those who look

    return [kind_json(unit, tools_of(unit.kind), report_schema(unit.kind), SAMPLES[unit.kind]) for unit in UNITS]


def tools_of(kind: str) -> tuple[ToolShown, ...]:
    """Return the tools that an agent doing this kind of unit is offered, the closing report last."""
    from walkaway.agent.tools import ask, offered, subagent  # noqa: PLC0415 - pydantic is not for everybody
    from walkaway.agent.tools.report import DESCRIPTION  # noqa: PLC0415
    from walkaway.engine.registers.side import shown as side_tools  # noqa: PLC0415

    report = ToolShown(name="report", description=DESCRIPTION, schema=report_schema(kind))
    grant = find(UNITS, kind).grant
    beside = (
        ToolShown(name=side.name, description=side.description, schema=json.loads(side.schema))
        for side in side_tools(find(UNITS, kind).side)
    )
    sending = ToolShown(name=subagent.NAME, description=subagent.DESCRIPTION, schema=subagent.schema())
    asking = ToolShown(name=ask.NAME, description=ask.DESCRIPTION, schema=ask.schema())
    return (
        *(ToolShown(name=t.name, description=t.description, schema=t.schema()) for t in offered(grant)),
        *beside,
        *((sending,) if grant.subagents else ()),
        asking,
        report,
    )


def report_schema(kind: str) -> dict[str, object]:
    """Return the JSON schema of the report that closes this kind of unit."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - as above

    from walkaway.engine.desk import dumps_schema  # noqa: PLC0415

    schema: dict[str, object] = json.loads(dumps_schema(TypeAdapter(find(UNITS, kind).report).json_schema()))
    return schema


def plans(opened: App, wanted: MilestoneId | None = None) -> tuple[tuple[Lane, Snapshot], ...]:
    """Return every milestone, or the one that is wanted, in the queue's order, with its whole plan."""
    rows = [row for row in opened.store.overview().milestones if wanted in (None, row.id)]
    if wanted and not rows:
        raise Usage(f"There is no milestone {wanted}; walkaway queue shows those that there are.")
    found = [(row, opened.store.snapshot(Scope(row.id))) for row in rows]
    return tuple((lane_of(row, s), s) for row, s in found)


def why(opened: App, what: str) -> Why:
    """Return the way to a part of the plan, a line of a file (``path:12``), a commit, a requirement or a decision.

    Raises `Usage` for anything else.
    """
    held = opened.store.registers()
    if requirement := held.requirements.get(what):
        owner = opened.store.snapshot(Scope(milestone_of(requirement.owner))) if requirement.owner else None
        return way_of_requirement(requirement, owner, held)
    if decision := held.decisions.get(what):
        made = decision.context.rpartition(" ")[2]
        return way_of_decision(decision, why(opened, made) if is_target(made) else None)
    target, named = what, what
    if not is_target(what):
        repo = Repo(Path(opened.place.root))
        path, _, number = what.rpartition(":")
        made = blame.unit_of_line(repo, path, int(number)) if path and number.isdigit() else blame.unit_of(repo, what)
        if made.unit is None:
            raise Usage(f"{what} is of commit {made.sha[:12]}, which walkaway did not make.")
        target, named = made.unit.target, f"{what} ({made.sha[:12]}, {made.unit})"
    s = opened.store.snapshot(Scope(milestone_of(target)))
    if target not in (s.scope, *s.slices, *s.tasks):
        raise Usage(f"There is no {target}; walkaway plan show shows the plan.")
    return way(s, target, named, opened.store.texts([s.milestone.context])[s.milestone.context], held)


def brief(opened: App, unit: str = "") -> BriefShown:
    """Return what an agent would be told now if ``unit`` (``kind target``; "": the next one) began; nothing begins.

    Raises `Usage` for a unit that cannot begin and never ran, and where nothing is next.
    """
    s, start = _start(opened, unit)
    kind = find(UNITS, start.key.kind)
    texts = opened.store.texts(sections.needs(s, kind, start))
    known = registers.known(opened.store.registers(), s, kind, start.key.target)
    return BriefShown(
        unit=str(start.key),
        system=sections.system(kind),
        prompt=sections.prompt(s, kind, start, texts, _checks(opened, s, kind, start.key.target), known=known),
        tools=tuple(json.dumps(asdict(tool), separators=(",", ":")) for tool in tools_of(kind.kind)),
    )


def _checks(opened: App, s: Snapshot, kind: UnitType[object], target: str) -> tuple[str, ...]:
    """Return the checks of the project as it lies there, and the unit's own."""
    if kind.judged is Judged.NOTHING:
        return ()
    found = checks(Path(opened.place.root)) if s.policy.checks is None else s.policy.checks
    own = kind.verify(s, target, None)
    return (*found, own) if own and own not in found else found


def _start(opened: App, unit: str) -> tuple[Snapshot, Start]:
    if not unit:
        for row in opened.store.overview().milestones:
            s = opened.store.snapshot(Scope(row.id))
            if isinstance(decision := derive(s, UNITS), Start):
                return s, decision
        raise Usage("No unit can begin now; walkaway status says why. Name one that ran, as walkaway units lists them.")
    key = parse_unit(unit)
    s = opened.store.snapshot(Scope(milestone_of(key.target)))
    kind = next((u for u in UNITS if u.kind == key.kind), None)
    if kind is None or (key.target not in kind.targets(s) and not s.runs_of(key)):
        raise Usage(f"'{unit}' cannot begin now and never ran; walkaway units lists what ran.")
    return s, _again(s, key)


def _again(s: Snapshot, key: UnitKey) -> Start:
    go = next_run(s, key)
    if isinstance(go, Again):
        return Start(key=key, attempt=go.attempt, why=go.why, output=go.output, carry=go.carry, diagnose=go.diagnose)
    return Start(key=key, attempt=1, why="", output=NO_TEXT, carry=NO_SHA)
