"""Which milestone a worker may take, best first; why the others wait; what an order of them would break."""

from collections.abc import Mapping, Sequence

from walkaway.core.errors import Usage
from walkaway.core.fleet.overview import MilestoneRow, Overview
from walkaway.core.ids import MilestoneId, milestone_number
from walkaway.core.model import MilestoneStatus


def eligible(overview: Overview, wanted: MilestoneId | None = None) -> tuple[MilestoneId, ...]:
    """Return the milestones that something may be done for, in order; only ``wanted`` if one was named.

    Whether a lease can be had is for the store to say: a holder may have died without a word.
    """
    return tuple(m for m, why in waiting(overview).items() if not why and wanted in (None, m))


def waiting(overview: Overview) -> Mapping[MilestoneId, str]:
    """Return the milestones that are not over, in order, each with why nothing may be done for it; "" = it may."""
    rows = {row.id: row for row in in_order(overview.milestones)}
    return {row.id: _held(rows, row) for row in rows.values() if not row.over}


def in_order(rows: Sequence[MilestoneRow]) -> tuple[MilestoneRow, ...]:
    """Return milestones as they stand in the queue."""
    return tuple(sorted(rows, key=lambda row: (row.place, milestone_number(row.id), row.id)))


def _held(rows: Mapping[MilestoneId, MilestoneRow], row: MilestoneRow) -> str:
    if row.aside:
        return f"{row.id} is {row.aside}; take it up with: walkaway unpark {row.id}"
    open_ones = [f"{d} ({_standing(rows, d)})" for d in row.depends if not _complete(rows, d)]
    return f"{row.id} waits for {', '.join(open_ones)}" if open_ones else ""


def _complete(rows: Mapping[MilestoneId, MilestoneRow], wanted: MilestoneId) -> bool:
    return wanted in rows and rows[wanted].status is MilestoneStatus.COMPLETE


def _standing(rows: Mapping[MilestoneId, MilestoneRow], wanted: MilestoneId) -> str:
    return rows[wanted].standing if wanted in rows else "does not exist"


# ---- orders -------------------------------------------------------------------------------------------------------


def violations(overview: Overview) -> tuple[str, ...]:
    """Return what cannot be as it stands, a sentence each: a queue of a person's making is never refused silently.

    A milestone that stands before one it comes after; a circle; one that waits for what is not there or was discarded.
    """
    rows = {row.id: row for row in in_order(overview.milestones)}
    found: list[str] = []
    for row in rows.values():
        if row.over:
            continue
        for wanted in row.depends:
            other = rows.get(wanted)
            if other is None or other.aside == "discarded":
                gone = "was discarded" if other else "does not exist"
                found.append(f"{row.id} comes after {wanted}, which {gone}.")
            elif row.id in _before(rows, wanted):
                found.append(f"{row.id} and {wanted} come after each other.")
            elif not other.over and _key(other) > _key(row):
                found.append(f"{row.id} stands before {wanted}, which it comes after.")
    return tuple(found)


def needless(overview: Overview) -> tuple[str, ...]:
    """Return what is said twice: a milestone that comes after another anyway, by way of a third."""
    rows = {row.id: row for row in overview.milestones}
    return tuple(
        f"{row.id} comes after {wanted} anyway: it comes after {via}."
        for row in in_order(overview.milestones)
        for wanted in row.depends
        for via in row.depends
        if via != wanted and wanted in _before(rows, via) and not row.over
    )


def _before(rows: Mapping[MilestoneId, MilestoneRow], milestone: MilestoneId) -> frozenset[MilestoneId]:
    """Return all that a milestone comes after, directly or not."""
    found: set[MilestoneId] = set()
    ahead = [milestone]
    while ahead:
        row = rows.get(ahead.pop())
        fresh = [d for d in (row.depends if row else ()) if d not in found]
        found.update(fresh)
        ahead.extend(fresh)
    return frozenset(found)


def _key(row: MilestoneRow) -> tuple[float, int]:
    return row.place, milestone_number(row.id)


def place_beside(overview: Overview, moved: MilestoneId, other: MilestoneId, *, after: bool) -> float:
    """Return the place right before or ``after`` another milestone; raise `Usage` where there is no room left."""
    rows = [row for row in in_order(overview.milestones) if row.id != moved]
    at = next(i for i, row in enumerate(rows) if row.id == other)
    low, high = (at, at + 1) if after else (at - 1, at)
    below = rows[low].place if low >= 0 else 0.0
    above = rows[high].place if high < len(rows) else below + 2.0
    place = (below + above) / 2
    if not below < place < above:
        raise Usage(f"There is no room left beside {other}; move {other} first.")
    return place
