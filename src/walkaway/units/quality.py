"""Questions about quality in briefs and reports: how they are put, what is wrong with an answer, what is kept of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.model import Snapshot
from walkaway.core.plan.quality import OMITTED, PASS, VERDICTS, Asked, flags
from walkaway.core.unit import Accepting
from walkaway.units import notes, sections

if TYPE_CHECKING:
    from walkaway.core.events import NoteTaken

FLAGS_MOST = 3_000
"""Bytes of flags in a brief."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an agent says to one question: pass, flag, or omitted where it does not apply."""

    gate: str
    verdict: str
    findings: str = ""


def put(questions: Sequence[Asked], title: str, fields: Sequence[str] = ()) -> str:
    """Return the section that asks them, each by its id, or by the field of the report that answers it."""
    names = fields or [each.id for each in questions]
    lines = (f"`{name}` ({each.title}): {each.words}" for name, each in zip(names, questions, strict=True))
    return f"## {title}\n\n{sections.bullets(lines)}"


def wrong(answers: Sequence[Answer], questions: Sequence[Asked]) -> str:
    """Return what is wrong with the answers to all of these, in words for the model, or ""."""
    wanted = sorted(each.id for each in questions)
    if sorted(answer.gate for answer in answers) != wanted:
        return f"`gates` answers each of {', '.join(wanted)} once."
    for answer in answers:
        if answer.verdict not in VERDICTS:
            return f"The verdict of {answer.gate} is one of {', '.join(VERDICTS)}, not '{answer.verdict}'."
        if answer.verdict != OMITTED and not answer.findings.strip():
            return f"Say in `findings` of {answer.gate} what you saw; what does not apply is {OMITTED}."
    return ""


def taken(s: Snapshot, target: str, by: Accepting, answers: Iterable[Answer], before: int = 0) -> "list[NoteTaken]":
    """Return the facts that these were answered; ``before``: how many notes the same report leaves before them."""
    return [
        notes.taken(s, target, by, summary=one.findings, verdict=one.verdict, kind=one.gate, before=before + n)
        for n, one in enumerate(answers)
    ]


def told(questions: Sequence[Asked], fields: Sequence[str]) -> list[Answer]:
    """Return the answers that fields of a report are: what is empty was left out."""
    return [
        Answer(gate=each.id, verdict=PASS if text.strip() else OMITTED, findings=text)
        for each, text in zip(questions, fields, strict=True)
    ]


def flagged(s: Snapshot, *targets: str, title: str = "Flagged: do something about it, or say why not") -> str:
    """Return what is flagged about these things as a section of a brief; "" where nothing is."""
    found = flags(s, *targets)
    lines = (f"- {note.kind} of {note.target}: {note.summary}" for note in found)
    return f"## {title}\n\n{sections.fit(lines, FLAGS_MOST)}" if found else ""


def doubtful(s: Snapshot, slice_id: str = "") -> str:
    """Return what the runner found doubtful about the tests of finished tasks, as a section of a brief."""
    from walkaway.core.failing.tests import doubts  # noqa: PLC0415 - kept off the query path

    lines = [f"- {line}" for line in doubts(s, slice_id)]
    return f"## Doubtful tests\n\n{sections.fit(lines, FLAGS_MOST)}" if lines else ""
