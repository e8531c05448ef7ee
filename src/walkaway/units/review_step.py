"""Look at what a step of a workflow made, with the question that its author wrote."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.grant import REVIEWING
from walkaway.core.ids import TextHash, UnitKey
from walkaway.core.model import SliceStatus, Snapshot
from walkaway.core.unit import Accepting, Judged, UnitType
from walkaway.units import notes, sections, steps

if TYPE_CHECKING:
    from walkaway.core.events import Event

KIND = "review-step"
VERDICTS = ("pass", "fail")

INSTRUCTIONS = """\
Hold what this step made against the question below. You did not make it: look at the files themselves. Change nothing.

Report: `verdict`: `pass` only where the answer is plainly yes, else `fail`; `summary`: one or two sentences that name
what you saw, for `fail` what is wrong and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Whether the step may stay as it is."""

    verdict: str
    summary: str


def targets(s: Snapshot) -> Iterable[str]:
    """Each step that is done, has a question for a model, and was not looked at since."""
    for slice_ in s.slices.values():
        wanted = slice_.step is not None and slice_.step.reviewer == "model"
        if wanted and slice_.status is SliceStatus.COMPLETE and not slice_.aside:
            note = s.note(KIND, slice_.id)
            if note is None or note.at < slice_.completed_at:
                yield slice_.id


def brief(s: Snapshot, target: str, _texts: Mapping[TextHash, str]) -> str:
    """The question, the step, what it says of itself."""
    slice_ = s.slices[target]
    asked = slice_.step.review if slice_.step else ""
    made = sections.task_lines(s.tasks_of(slice_.id))
    return "\n\n".join((f"## The question\n\n{asked}", sections.slice_plan(slice_), made))


def check(_s: Snapshot, _target: str, report: Report) -> str:
    """Refuse unknown verdicts and verdicts without a word."""
    if report.verdict not in VERDICTS:
        return f"`verdict` is {' or '.join(VERDICTS)}, not '{report.verdict}'."
    return sections.blank(summary=report.summary)


def accept(s: Snapshot, target: str, report: Report, by: Accepting) -> "list[Event]":
    """The verdict stands; where it is no, a person says whether the step is done again."""
    facts: list[Event] = [notes.taken(s, target, by, summary=report.summary, verdict=report.verdict)]
    if report.verdict == "fail":
        text = f"{target} '{s.slices[target].title}' was found wanting: {report.summary}"
        facts.append(steps.review(s, UnitKey(KIND, target), text))
    return facts


UNIT = UnitType(
    kind=KIND,
    purpose="Look at what a step of a workflow made.",
    instructions=INSTRUCTIONS,
    grant=REVIEWING,
    report=Report,
    judged=Judged.NOTHING,
    targets=targets,
    brief=brief,
    check=check,
    accept=accept,
    scripted=True,
)
