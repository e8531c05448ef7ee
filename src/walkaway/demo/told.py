"""What walkaway's commands said as JSON, read as values; whatever is not as expected reads as nothing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

Json = dict[str, object]


def objects(text: str) -> Iterator[Json]:
    """Yield the JSON objects among the lines of an output."""
    for line in text.splitlines():
        found = one(line)
        if found is not None:
            yield found


def one(line: str) -> Json | None:
    """Return the JSON object that a line is, None where it is another text."""
    try:
        return members(json.loads(line)) if line.startswith("{") else None
    except ValueError:
        return None


def members(value: object) -> Json:
    """Return a JSON object's members; none where ``value`` is not an object."""
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}


def elements(value: object) -> list[Json]:
    """Return the objects of a JSON array; none where ``value`` is not an array."""
    return [members(item) for item in value] if isinstance(value, list) else []


def text(value: Json, key: str) -> str:
    """Return a member that is a text, "" where it is none."""
    found = value.get(key)
    return found if isinstance(found, str) else ""


def number(value: Json, key: str) -> float | None:
    """Return a member that is a number, None where it is none."""
    found = value.get(key)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run of one unit, as `walkaway units --json` tells it."""

    id: str
    unit: str
    attempt: int
    status: str
    seconds: float
    usd: float | None
    tokens: int
    why: str


def runs(units_json: str) -> list[Ran]:
    """Return the runs of every unit, oldest first."""
    milestones = members(next(objects(units_json), {}).get("milestones"))
    return [_ran(row) for rows in milestones.values() for row in elements(rows)]


def _ran(row: Json) -> Ran:
    cost = members(row.get("cost"))
    return Ran(
        id=text(row, "id"),
        unit=text(row, "unit"),
        attempt=int(number(row, "attempt") or 1),
        status=text(row, "status"),
        seconds=number(row, "seconds") or 0.0,
        usd=number(cost, "usd"),
        tokens=int((number(cost, "input_tokens") or 0) + (number(cost, "output_tokens") or 0)),
        why=text(row, "why"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One check that walkaway ran, as the journal tells it."""

    dispatch: str
    phase: str
    command: str
    result: str
    exit_code: int | None
    seconds: float


def evidence(log_json: str) -> list[Seen]:
    """Return what every check did, oldest first."""
    facts = (entry for entry in objects(log_json) if entry.get("event") == "EvidenceRecorded")
    return [_seen(members(members(fact.get("body")).get("evidence"))) for fact in facts]


def _seen(row: Json) -> Seen:
    code = number(row, "exit_code")
    return Seen(
        dispatch=text(row, "dispatch_id"),
        phase=text(row, "phase"),
        command=text(row, "command"),
        result=text(row, "result"),
        exit_code=None if code is None else int(code),
        seconds=(number(row, "duration_ms") or 0.0) / 1000,
    )
