"""Look into what the next slice needs before it is planned, where the profile says so."""

from collections.abc import Iterable

from walkaway.core.grant import RESEARCHING
from walkaway.core.model import MilestoneStatus, SliceStatus, Snapshot
from walkaway.core.plan.scope import takes
from walkaway.core.unit import Judged, UnitType
from walkaway.units import plan_slice, research_milestone
from walkaway.units.research_milestone import Report

KIND = "research-slice"

INSTRUCTIONS = """\
Find out what whoever plans this slice has to know: which files and functions it touches and what they promise, which
tests cover them, what earlier slices left behind, what is likely to go wrong. Read the code; propose no tasks.

Report: `summary` (two or three sentences) and `findings` (markdown, at most 8,000 bytes: each finding with the file or
fact that shows it)."""


def targets(s: Snapshot) -> Iterable[str]:
    """The slice that is planned next, once; not the first where the milestone was researched."""
    if s.milestone.status is not MilestoneStatus.ACTIVE or not takes(s, KIND):
        return
    following = next((x for x in s.slices.values() if x.status is SliceStatus.PENDING and s.free(x)), None)
    if following is None or following.sketch or s.note(KIND, following.id):
        return
    first = following is next(iter(s.slices.values()))
    if not (first and s.note(research_milestone.KIND, s.milestone.id)):
        yield following.id


UNIT = UnitType(
    kind=KIND,
    purpose="Find out what has to be known before a slice is planned.",
    instructions=INSTRUCTIONS,
    grant=RESEARCHING,
    report=Report,
    judged=Judged.NOTHING,
    targets=targets,
    needs=plan_slice.needs,
    brief=plan_slice.brief,
    check=research_milestone.check,
    accept=research_milestone.accept,
)
