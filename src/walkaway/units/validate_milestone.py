"""Hold a milestone against its success criteria, once all its slices are done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.grant import REVIEWING
from walkaway.core.ids import TextHash, UnitKey
from walkaway.core.model import MilestoneStatus, Snapshot
from walkaway.core.plan.quality import FLAG, OF_MILESTONE, asked
from walkaway.core.plan.scope import takes
from walkaway.core.unit import PLANS, Accepting, Judged, UnitType
from walkaway.units import cutting, notes, quality, sections
from walkaway.units.cutting import PlannedSlice

if TYPE_CHECKING:
    from walkaway.core.events import Event

KIND = "validate-milestone"
MOST_ROUNDS = 3
"""So often what is missing is added as slices before a person is asked."""

VERDICTS = ("pass", "needs-attention", "needs-remediation")

ASKED = "Also to be answered, in `gates`: `gate` (its id), `verdict` (pass, flag; omitted: does not apply), `findings`"

INSTRUCTIONS = """\
Validate this milestone as a sceptical reviewer who did not build it. Look at the code and run what you need; change
nothing. Judge only by what you saw.

Report: `verdict`: `pass`; `needs-attention` when everything is met but somebody should know something; or
`needs-remediation` when a criterion is not met. `criteria`: for each success criterion one line with how you saw that
it is met or not. `rationale`: why this verdict. Only with `needs-remediation`: `slices` that add what is missing and
nothing else, each with `title`, `goal`, `demo`, `risk` (high, medium or low) and `depends` (numbers of slices: 1 for
S01); none where no slice can help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A verdict."""

    verdict: str
    criteria: tuple[str, ...]
    rationale: str
    slices: tuple[PlannedSlice, ...] = ()
    gates: tuple[quality.Answer, ...] = ()


def targets(s: Snapshot) -> Iterable[str]:
    """The milestone, when nothing is left to do for any slice; not where the profile or the scope leaves this out."""
    if s.milestone.status is MilestoneStatus.ACTIVE and s.all_inactive and takes(s, KIND):
        yield s.milestone.id


def needs(s: Snapshot, _target: str) -> tuple[TextHash, ...]:
    """The specification."""
    return (s.milestone.context,)


def brief(s: Snapshot, _target: str, texts: Mapping[TextHash, str]) -> str:
    """What is asked and flagged, the milestone, what its slices delivered, the specification."""
    parts = (
        quality.put(OF_MILESTONE, ASKED) if asked(s) else "",
        quality.flagged(s, *s.slices, title="What was flagged before it was built"),
        quality.doubtful(s),
        sections.milestone(s),
        sections.roadmap(s),
        sections.thoughts(s),
        sections.specification(s, texts),
    )
    return "\n\n".join(part for part in parts if part)


def check(s: Snapshot, _target: str, report: Report) -> str:
    """Refuse unknown verdicts and criteria passed over."""
    if report.verdict not in VERDICTS:
        return f"`verdict` is one of {', '.join(VERDICTS)}, not '{report.verdict}'."
    if len(report.criteria) < len(s.milestone.criteria):
        return f"Judge each of the {len(s.milestone.criteria)} success criteria; you judged {len(report.criteria)}."
    if report.slices and report.verdict != "needs-remediation":
        return "Only `needs-remediation` adds slices."
    wrong = sections.blank(rationale=report.rationale) or cutting.wrong_slices(report.slices, len(s.slices))
    return wrong or _unanswered(s, report)


def _unanswered(s: Snapshot, report: Report) -> str:
    """Return what is wrong with the answers about quality; what nobody asked for is not looked at."""
    if not asked(s):
        return ""
    flagged = [answer.gate for answer in report.gates if answer.verdict == FLAG]
    if flagged and report.verdict == "pass":
        return f"{', '.join(flagged)} cannot be flagged where the verdict is `pass`: it is `needs-attention` then."
    return quality.wrong(report.gates, OF_MILESTONE)


def accept(s: Snapshot, target: str, report: Report, by: Accepting) -> "list[Event]":
    """The milestone is validated; or slices are added that bring what is missing; or a person says what to do."""
    from walkaway.core.events import MilestoneValidated, RoadmapChanged  # noqa: PLC0415 - kept off the query path

    rounds = sum(n.kind == KIND and n.verdict == "needs-remediation" for n in s.notes.values())
    note = notes.taken(s, target, by, summary=report.rationale, verdict=report.verdict)
    kept = [note, *quality.taken(s, target, by, report.gates if asked(s) else (), before=1)]
    if report.verdict != "needs-remediation":
        return [*kept, MilestoneValidated(verdict=report.verdict)]
    if report.slices and rounds < MOST_ROUNDS:
        added = cutting.slices_from(s, report.slices)
        return [*kept, RoadmapChanged(added=added, changed=(), dropped=(), why=report.rationale)]
    return [*kept, _asked(s, target, report, rounds)]


def _asked(s: Snapshot, target: str, report: Report, rounds: int) -> "Event":
    from walkaway.core.derive import ask  # noqa: PLC0415 - kept off the query path
    from walkaway.core.events import QuestionRaised  # noqa: PLC0415
    from walkaway.core.retry import GiveUp  # noqa: PLC0415

    tried = f" Slices were added {rounds} times." if rounds else ""
    why = GiveUp(
        reason="needs-remediation",
        text=f"The validation of {target} says that it is not complete: {report.rationale}{tried}",
        remedies=(
            "answer retry to validate again, or accept-as-is to integrate what there is",
            "hand in what is missing as a milestone of its own (walkaway new --spec FILE), then answer accept-as-is",
        ),
        options=("retry", "accept-as-is"),
    )
    return QuestionRaised(question=ask(s, UnitKey(KIND, target), why))


UNIT = UnitType(
    kind=KIND,
    purpose="Hold a milestone against its success criteria.",
    instructions=INSTRUCTIONS,
    grant=REVIEWING,
    report=Report,
    judged=Judged.NOTHING,
    targets=targets,
    needs=needs,
    brief=brief,
    check=check,
    accept=accept,
    side=PLANS,
)
