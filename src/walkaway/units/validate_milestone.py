"""Hold a milestone against its success criteria, once all its slices are done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.grant import Effect, Grant
from walkaway.core.ids import TextHash, UnitKey
from walkaway.core.model import MilestoneStatus, SliceStatus, Snapshot
from walkaway.core.unit import Accepting, Judged, UnitType
from walkaway.units import sections

if TYPE_CHECKING:
    from walkaway.core.events import Event

VERDICTS = ("pass", "needs-attention", "needs-remediation")

INSTRUCTIONS = """\
Validate this milestone as a sceptical reviewer who did not build it. Look at the code and run what you need; change
nothing. Judge only by what you saw.

Report: `verdict`: `pass`; `needs-attention` when everything is met but somebody should know something; or
`needs-remediation` when a criterion is not met. `criteria`: for each success criterion one line with how you saw that
it is met or not. `rationale`: why this verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A verdict."""

    verdict: str
    criteria: tuple[str, ...]
    rationale: str


def targets(s: Snapshot) -> Iterable[str]:
    """The milestone, when every slice is complete."""
    done = bool(s.slices) and all(x.status is SliceStatus.COMPLETE for x in s.slices.values())
    if s.milestone.status is MilestoneStatus.ACTIVE and done:
        yield s.milestone.id


def needs(s: Snapshot, _target: str) -> tuple[TextHash, ...]:
    """The specification."""
    return (s.milestone.context,)


def brief(s: Snapshot, _target: str, texts: Mapping[TextHash, str]) -> str:
    """The milestone, what its slices delivered, the specification."""
    return "\n\n".join((sections.milestone(s), sections.roadmap(s), sections.specification(s, texts)))


def check(s: Snapshot, _target: str, report: Report) -> str:
    """Refuse unknown verdicts and criteria passed over."""
    if report.verdict not in VERDICTS:
        return f"`verdict` is one of {', '.join(VERDICTS)}, not '{report.verdict}'."
    if len(report.criteria) < len(s.milestone.criteria):
        return f"Judge each of the {len(s.milestone.criteria)} success criteria; you judged {len(report.criteria)}."
    return sections.blank(rationale=report.rationale)


def accept(s: Snapshot, target: str, report: Report, _by: Accepting) -> "list[Event]":
    """The milestone is validated, or a person is asked what to do about what is missing."""
    from walkaway.core.derive import ask  # noqa: PLC0415 - kept off the query path
    from walkaway.core.events import MilestoneValidated, QuestionRaised  # noqa: PLC0415
    from walkaway.core.retry import GiveUp  # noqa: PLC0415

    if report.verdict != "needs-remediation":
        return [MilestoneValidated(verdict=report.verdict)]
    why = GiveUp(
        reason="needs-remediation",
        text=f"The validation of {target} says that it is not complete: {report.rationale}",
        remedies=(
            "answer retry to validate again, or accept-as-is to integrate what there is",
            "hand in what is missing as a milestone of its own: walkaway new --spec FILE",
        ),
        options=("retry", "accept-as-is"),
    )
    return [QuestionRaised(question=ask(s, UnitKey("validate-milestone", target), why))]


UNIT = UnitType(
    kind="validate-milestone",
    purpose="Hold a milestone against its success criteria.",
    instructions=INSTRUCTIONS,
    grant=Grant(name="reviewing", effects=frozenset({Effect.READ, Effect.SHELL})),
    report=Report,
    judged=Judged.NOTHING,
    targets=targets,
    needs=needs,
    brief=brief,
    check=check,
    accept=accept,
)
