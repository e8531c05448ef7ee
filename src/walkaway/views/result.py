"""How a run ended: for programs as one JSON object, for people as a few lines of text."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from walkaway.core.fleet.overview import MilestoneRow
from walkaway.core.ids import Sha
from walkaway.core.model import Question, Snapshot, Usage
from walkaway.views.query import Json, blocked


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What a run did. ``units``: dispatches completed in it; ``commits``: integration commits published in it."""

    units: int = 0
    commits: tuple[Sha, ...] = ()
    usage: Usage = field(default_factory=Usage)
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The whole of it: how the run ended, and what stands then."""

    status: str
    exit_code: int
    detail: str = ""
    totals: Totals = Totals()
    milestones: tuple[MilestoneRow, ...] = ()
    questions: tuple[Question, ...] = ()


def result(ended: Result) -> Json:
    """Return the last line of ``--json``."""
    usage = ended.totals.usage
    return {
        "v": 1,
        "type": "result",
        "status": ended.status,
        "exit_code": ended.exit_code,
        "milestones": [{"id": m.id, "title": m.title, "status": m.standing} for m in ended.milestones],
        "units": ended.totals.units,
        "commits": list(ended.totals.commits),
        "cost": {"usd": usage.usd, "input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens},
        "duration_s": round(ended.totals.duration_s, 3),
        "blocked": _blocked(ended),
    }


def _blocked(ended: Result) -> list[Json]:
    """Return what waits for a person; a run that is blocked without a question says why itself."""
    if ended.questions or ended.status not in {"blocked", "stuck"}:
        return [blocked(question) for question in ended.questions]
    return [{"unit": None, "reason": ended.status, "detail": ended.detail, "remedies": []}]


def open_questions(snapshots: Sequence[Snapshot]) -> tuple[Question, ...]:
    """Return every question that waits for a person."""
    return tuple(q for s in snapshots for q in s.questions.values() if q.open)
