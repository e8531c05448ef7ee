"""The milestones as they stand in the queue."""

from dataclasses import asdict, dataclass

from walkaway.core.fleet.overview import Overview
from walkaway.core.schedule import in_order, needless, violations, waiting
from walkaway.views.query import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLine:
    """One milestone; ``why`` nothing may be done for it now, "" where something may or it is over."""

    id: str
    title: str
    standing: str
    depends: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueShown:
    """All of them in order, what cannot be as it stands, and what is said twice: a sentence each."""

    lines: tuple[QueueLine, ...]
    wrong: tuple[str, ...]
    needless: tuple[str, ...]


def queued(overview: Overview) -> QueueShown:
    """Return the queue of a project."""
    held = waiting(overview)
    lines = (
        QueueLine(id=row.id, title=row.title, standing=row.standing, depends=row.depends, why=held.get(row.id, ""))
        for row in in_order(overview.milestones)
    )
    return QueueShown(lines=tuple(lines), wrong=violations(overview), needless=needless(overview))


def queue_json(shown: QueueShown) -> Json:
    """Return the queue for programs."""
    return {"v": 1, "milestones": [asdict(line) for line in shown.lines], "violations": [*shown.wrong, *shown.needless]}
