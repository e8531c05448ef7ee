"""Say which milestone comes when, which not now, and which never."""

from dataclasses import dataclass, replace

from walkaway.commands.command import Command, Project, changeable, record
from walkaway.core.errors import Usage
from walkaway.core.events import Queued, Reopened, SetAside
from walkaway.core.fleet.overview import Overview
from walkaway.core.ids import MilestoneId
from walkaway.core.schedule import place_beside, violations


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Which milestone (as in ``M002``), and why."""

    milestone: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Which milestone is to stand right ``before`` or right ``after`` which other: one of the two."""

    milestone: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """Which milestones must be complete before ``milestone`` is worked on; none: it waits for no other."""

    milestone: str
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """Which milestone is given up for good. ``confirmed``: the person knows that this cannot be taken back."""

    milestone: str
    reason: str = ""
    confirmed: bool = False


def _known(overview: Overview, *milestones: str) -> tuple[MilestoneId, ...]:
    there = {str(row.id): row.id for row in overview.milestones}
    for wanted in milestones:
        if wanted not in there:
            raise Usage(f"There is no milestone {wanted}; walkaway queue shows those that there are.")
    return tuple(there[wanted] for wanted in milestones)


def _park(project: Project, form: Form) -> str:
    (milestone,) = _known(project.store.overview(), form.milestone)
    record(project, changeable(project, milestone), SetAside(target=milestone, how="parked", why=form.reason))
    return f"{milestone} is parked; take it up again with: walkaway unpark {milestone}"


def _unpark(project: Project, form: Form) -> str:
    (milestone,) = _known(project.store.overview(), form.milestone)
    record(project, changeable(project, milestone), Reopened(target=milestone, why=form.reason))
    return f"{milestone} is to be done. Go on with: walkaway auto"


def _discard(project: Project, form: Discarded) -> str:
    overview = project.store.overview()
    (milestone,) = _known(overview, form.milestone)
    s = changeable(project, milestone)
    if later := [row.id for row in overview.milestones if milestone in row.depends and not row.over]:
        told = f"{', '.join(later)} comes after {milestone}"
        raise Usage(f"{told}: first say what it comes after with walkaway queue after {later[0]} [MILESTONE]...")
    if not form.confirmed:
        raise Usage(f"{milestone} cannot be taken up again once it is discarded; say --yes if you mean it.")
    record(project, s, SetAside(target=milestone, how="discarded", why=form.reason))
    return f"{milestone} is discarded. What was done for it stays in git at refs/walkaway/{milestone}."


def _move(project: Project, form: Moved) -> str:
    if bool(form.before) == bool(form.after):
        raise Usage("Say --before or --after, and which milestone.")
    overview = project.store.overview()
    milestone, other = _known(overview, form.milestone, form.before or form.after)
    if milestone == other:
        raise Usage(f"{milestone} cannot stand beside itself.")
    depends = next(row.depends for row in overview.milestones if row.id == milestone)
    place = place_beside(overview, milestone, other, after=bool(form.after))
    _require_sound(overview, milestone, place, depends)
    record(project, changeable(project, milestone), Queued(place=place, depends=depends))
    return f"{milestone} now stands right {'after' if form.after else 'before'} {other}."


def _order(project: Project, form: Ordered) -> str:
    overview = project.store.overview()
    milestone, *after = _known(overview, form.milestone, *form.after)
    depends = tuple(dict.fromkeys(after))
    places = {row.id: row.place for row in overview.milestones}
    place, last = places[milestone], max(depends, key=lambda d: places[d], default=milestone)
    if places[last] > place:
        place = place_beside(overview, milestone, last, after=True)
    _require_sound(overview, milestone, place, depends)
    record(project, changeable(project, milestone), Queued(place=place, depends=depends))
    return f"{milestone} comes after {', '.join(depends)}." if depends else f"{milestone} waits for no other."


def _require_sound(overview: Overview, milestone: MilestoneId, place: float, depends: tuple[MilestoneId, ...]) -> None:
    """Refuse what would make an order that cannot be; what was wrong before is no reason to refuse."""
    if milestone in depends:
        raise Usage(f"{milestone} cannot come after itself.")
    changed = tuple(
        replace(row, place=place, depends=depends) if row.id == milestone else row for row in overview.milestones
    )
    before = violations(overview)
    if wrong := [v for v in violations(replace(overview, milestones=changed)) if v not in before]:
        raise Usage(f"That order cannot be: {' '.join(wrong)}")


PARK = Command(name="park", help="Leave a milestone for later.", form=Form, run=_park)
UNPARK = Command(name="unpark", help="Have a parked milestone done after all.", form=Form, run=_unpark)
DISCARD = Command(name="discard", help="Give up a milestone for good.", form=Discarded, run=_discard)
MOVE = Command(name="queue move", help="Put a milestone before or after another.", form=Moved, run=_move)
AFTER = Command(name="queue after", help="Say which milestones come first.", form=Ordered, run=_order)
