"""The runs of every unit, and the kinds of unit there are."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass

from walkaway.core.model import Dispatch, Result, Snapshot, Usage
from walkaway.core.unit import UnitType
from walkaway.core.verdict import passed
from walkaway.views.query import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run of one unit. ``checks``: how many passed, of how many that looked."""

    id: str
    unit: str
    attempt: int
    status: str
    seconds: float
    usage: Usage
    checks: tuple[int, int]
    why: str


def runs(s: Snapshot, costs: Mapping[str, Usage]) -> tuple[RunRow, ...]:
    """Return every dispatch of a milestone, oldest first; ``costs`` by dispatch."""
    return tuple(_run(s, d, costs.get(d.id, Usage())) for d in s.dispatches.values())


def _run(s: Snapshot, d: Dispatch, usage: Usage) -> RunRow:
    looked = [e for e in s.evidence.values() if e.dispatch_id == d.id and e.result is not Result.NO_CHECK]
    return RunRow(
        id=d.id,
        unit=str(d.key),
        attempt=d.attempt,
        status=str(d.status),
        seconds=max((d.ended_at or s.now) - d.claimed_at, 0.0),
        usage=usage,
        checks=(sum(passed(e) for e in looked), len(looked)),
        why=d.why,
    )


def run_json(row: RunRow) -> Json:
    """Return a run for programs."""
    return {
        "id": row.id,
        "unit": row.unit,
        "attempt": row.attempt,
        "status": row.status,
        "seconds": round(row.seconds, 3),
        "cost": {
            "usd": row.usage.usd,
            "input_tokens": row.usage.input_tokens,
            "output_tokens": row.usage.output_tokens,
        },
        "checks": {"passed": row.checks[0], "run": row.checks[1]},
        "why": row.why,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolShown:
    """A tool as a model is told of it."""

    name: str
    description: str
    schema: Mapping[str, object]


def kind_json(
    unit: UnitType[object], tools: Sequence[ToolShown], report_schema: Mapping[str, object], sample: object
) -> Json:
    """Return all that somebody who scripts a model needs to know of a kind of unit."""
    report: Json = {"schema": dict(report_schema), "sample": plain(sample)}
    return {
        "kind": unit.kind,
        "purpose": unit.purpose,
        "grant": {
            "name": unit.grant.name,
            "effects": sorted(str(effect) for effect in unit.grant.effects),
            "paths": list(unit.grant.paths),
            "policy": unit.grant.sentence(),
        },
        "judged": str(unit.judged),
        "tools": [{"name": t.name, "description": t.description, "schema": dict(t.schema)} for t in tools],
        "report": report,
    }


def plain(value: object) -> object:
    """Return a report as what JSON knows."""
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
