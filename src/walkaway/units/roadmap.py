"""Changes of what is ahead on the roadmap: what is wrong with them, in words for a model, and what becomes of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from walkaway.core.ids import SliceId
from walkaway.core.model import Slice, SliceStatus, Snapshot
from walkaway.units import cutting, sections
from walkaway.units.cutting import PlannedSlice

if TYPE_CHECKING:
    from walkaway.core.events import RoadmapChanged, SlicePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Other words for a slice ahead."""

    id: str
    title: str
    goal: str
    demo: str


def ahead(s: Snapshot) -> dict[str, Slice]:
    """Return the slices that are not begun."""
    return {x.id: x for x in s.slices.values() if x.status is SliceStatus.PENDING and not x.aside}


def whole(s: Snapshot, named: str) -> SliceId:
    """Return the identifier of a slice that a model named with or without its milestone."""
    return SliceId(named if "/" in named else f"{s.milestone.id}/{named}")


def wrong(s: Snapshot, drop: Sequence[str], change: Sequence[Change], add: Sequence[PlannedSlice]) -> str:
    """Return what is wrong with a change of the roadmap, or ""."""
    there, touched = ahead(s), [*drop, *(c.id for c in change)]
    if strange := [each for each in touched if whole(s, each) not in there]:
        return f"{', '.join(strange)} is no slice ahead; those are {', '.join(there)}."
    if len(set(touched)) < len(touched):
        return "Name each slice once."
    dropped = {whole(s, each) for each in drop}
    held = [x.id for x in there.values() if x.id not in dropped and dropped & set(x.depends)]
    if held:
        return f"{', '.join(held)} depends on what you drop."
    for each in change:
        if empty := sections.blank(title=each.title, goal=each.goal, demo=each.demo):
            return f"{each.id}: {empty}"
    return cutting.wrong_slices(add, len(s.slices))


def facts(
    s: Snapshot, drop: Sequence[str], change: Sequence[Change], add: Sequence[PlannedSlice], why: str
) -> "list[RoadmapChanged]":
    """Return the fact that the roadmap is changed; none where nothing changes."""
    from walkaway.core.events import RoadmapChanged  # noqa: PLC0415 - kept off the query path

    if not (drop or change or add):
        return []
    changed = tuple(replace(_kept(s.slices[whole(s, c.id)]), title=c.title, goal=c.goal, demo=c.demo) for c in change)
    dropped = tuple(whole(s, each) for each in drop)
    return [RoadmapChanged(added=cutting.slices_from(s, add), changed=changed, dropped=dropped, why=why)]


def _kept(x: Slice) -> "SlicePlan":
    from walkaway.core.events import SlicePlan  # noqa: PLC0415 - as above

    return SlicePlan(id=x.id, title=x.title, demo=x.demo, goal=x.goal, risk=x.risk, depends=x.depends, sketch=x.sketch)
