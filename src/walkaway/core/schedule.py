"""Which milestone a worker may take, best first."""

from walkaway.core.fleet.overview import MilestoneRow, Overview
from walkaway.core.ids import MilestoneId, milestone_number
from walkaway.core.model import MilestoneStatus


def eligible(overview: Overview, wanted: MilestoneId | None = None) -> tuple[MilestoneId, ...]:
    """Return the milestones that are not complete, in order; only ``wanted`` if one was named.

    Whether a lease can be had is for the store to say: a holder may have died without a word.
    """
    rows = [row for row in overview.milestones if row.status is not MilestoneStatus.COMPLETE]
    return tuple(row.id for row in sorted(rows, key=_order) if wanted in (None, row.id))


def _order(row: MilestoneRow) -> tuple[int, str]:
    return milestone_number(row.id), row.id
