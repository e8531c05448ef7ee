"""What a plan, a task, a slice and a milestone are asked about their quality, and what was answered.

An answer is a note whose kind is the question's id. Rule: where nothing was said the answer is `omitted`, never `pass`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from walkaway.core.model import Note, Snapshot

STEP = "evaluate-gate"
PASS, FLAG, OMITTED = "pass", "flag", "omitted"
VERDICTS = (PASS, FLAG, OMITTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question: its id, what it is about as a heading, and its words for an agent."""

    id: str
    title: str
    words: str


OF_PLAN = (
    Asked(
        id="Q3",
        title="Threat Surface",
        words="how what is planned can be abused: which input is not trusted, which data is exposed, and does the plan "
        "say what is done about it?",
    ),
    Asked(
        id="Q4",
        title="Requirement Impact",
        words="which promises that hold today the plan touches: does it keep them, and does it check them again?",
    ),
)
OF_TASK = (
    Asked(id="Q5", title="Failure Modes", words="what happens when what this depends on fails, is slow or is wrong"),
    Asked(id="Q6", title="Load Profile", words="what is used up as input grows, and what gives way first"),
    Asked(id="Q7", title="Negative Tests", words="which tests show that wrong input and edges are refused or handled"),
)
OF_SLICE = (
    Asked(
        id="Q8",
        title="Operational Readiness",
        words="how one sees that it works and that it does not, how it recovers, and what nobody watches",
    ),
)
OF_MILESTONE = (
    Asked(id="MV01", title="Success Criteria Checklist", words="is each success criterion met, and seen to be?"),
    Asked(id="MV02", title="Slice Delivery Audit", words="did each slice deliver what it was to show?"),
    Asked(id="MV03", title="Cross-Slice Integration", words="do the slices fit together where they meet?"),
    Asked(id="MV04", title="Requirement Coverage", words="is everything that the specification asks for there?"),
)


def asked(s: Snapshot) -> bool:
    """Whether the profile of a milestone asks for them; a workflow that a person wrote is asked nothing."""
    return STEP in s.policy.steps and not s.scripted


def answers(s: Snapshot, target: str, questions: Iterable[Asked]) -> tuple[tuple[Asked, Note], ...]:
    """Return the questions that something was asked and did not leave out, with the last answer to each."""
    found = ((each, s.note(each.id, target)) for each in questions)
    return tuple((each, note) for each, note in found if note and note.verdict != OMITTED)


def flags(s: Snapshot, *targets: str) -> tuple[Note, ...]:
    """Return what is flagged about each of these things, by its last answer; in the order of the questions."""
    every = (*OF_PLAN, *OF_TASK, *OF_SLICE, *OF_MILESTONE)
    found = (note for target in targets for _, note in answers(s, target, every))
    return tuple(note for note in found if note.verdict == FLAG)
