"""Use what a slice delivered as its user would, where the profile says so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.grant import REVIEWING
from walkaway.core.ids import TextHash, UnitKey
from walkaway.core.model import MilestoneStatus, SliceStatus, Snapshot
from walkaway.core.unit import Accepting, Judged, UnitType
from walkaway.units import notes, sections

if TYPE_CHECKING:
    from walkaway.core.events import Event

KIND = "run-uat"
VERDICTS = ("pass", "fail", "partial")

INSTRUCTIONS = """\
Use what this slice delivered, through its real interface, as its user would: do what `After this` says and try each
must-have, also with input that a user might get wrong. You did not build it; read no code to decide whether it works.
Change nothing.

Report: `verdict`: `pass`; `fail` when something that was promised does not hold; or `partial` when what you could try
holds and something needs a person's eye. `steps`: what you did and what you saw, one line each. `summary`: one or two
sentences; for `fail` and `partial` what is wrong or left to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a user would see."""

    verdict: str
    steps: tuple[str, ...]
    summary: str


def targets(s: Snapshot) -> Iterable[str]:
    """Each slice that is done and was not tried yet, or that a person wants to be tried again."""
    if KIND not in s.policy.steps or s.milestone.status is not MilestoneStatus.ACTIVE:
        return
    for slice_ in s.slices.values():
        done = slice_.status is SliceStatus.COMPLETE and not slice_.aside
        if done and _to_try(s, slice_.id, slice_.completed_at):
            yield slice_.id


def _to_try(s: Snapshot, target: str, completed_at: float) -> bool:
    note = s.note(KIND, target)
    if note is None or note.at < completed_at:  # done again since
        return True
    if note.verdict != "fail":
        return False
    unit = str(UnitKey(KIND, target))
    answered = [q for q in s.questions.values() if q.unit == unit and q.reason == "uat-failed" and not q.open]
    return bool(answered) and answered[-1].answer == "retry" and answered[-1].asked_at >= note.at


def brief(s: Snapshot, target: str, _texts: Mapping[TextHash, str]) -> str:
    """The slice as it was promised, what it says of itself, the milestone."""
    slice_ = s.slices[target]
    said = f"What it says of itself: {slice_.summary}"
    return "\n\n".join((sections.slice_plan(slice_), said, sections.milestone(s)))


def check(_s: Snapshot, _target: str, report: Report) -> str:
    """Refuse unknown verdicts, and verdicts on nothing."""
    if report.verdict not in VERDICTS:
        return f"`verdict` is one of {', '.join(VERDICTS)}, not '{report.verdict}'."
    if not any(step.strip() for step in report.steps):
        return "Say in `steps` what you did and what you saw."
    return sections.blank(summary=report.summary)


def accept(s: Snapshot, target: str, report: Report, by: Accepting) -> "list[Event]":
    """The verdict stands; where something does not hold, a person says what is to be done."""
    from walkaway.core.derive import ask  # noqa: PLC0415 - kept off the query path
    from walkaway.core.events import QuestionRaised  # noqa: PLC0415
    from walkaway.core.retry import GiveUp  # noqa: PLC0415

    facts: list[Event] = [notes.taken(s, target, by, summary=report.summary, verdict=report.verdict)]
    if report.verdict == "fail":
        why = GiveUp(
            reason="uat-failed",
            text=f"{target} does not do what was promised: {report.summary}",
            remedies=(
                "answer remediate to plan a slice that mends it, retry to try it again, or accept-as-is to leave it",
            ),
            options=("remediate", "retry", "accept-as-is"),
        )
        facts.append(QuestionRaised(question=ask(s, UnitKey(KIND, target), why)))
    return facts


UNIT = UnitType(
    kind=KIND,
    purpose="Use what a slice delivered as its user would.",
    instructions=INSTRUCTIONS,
    grant=REVIEWING,
    report=Report,
    judged=Judged.NOTHING,
    targets=targets,
    brief=brief,
    check=check,
    accept=accept,
)
