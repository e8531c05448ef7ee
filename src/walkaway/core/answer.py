"""What follows from a person's answer to a question."""

from walkaway.core.asking.gates import DISCUSS_SLICE
from walkaway.core.errors import Usage
from walkaway.core.events import (
    BaselineAccepted,
    Event,
    MilestoneValidated,
    NoteTaken,
    QuestionAnswered,
    Reopened,
    RoadmapChanged,
    SetAside,
    SlicePlan,
)
from walkaway.core.ids import SliceId, parse_unit, slice_id
from walkaway.core.model import Question, Slice, Snapshot
from walkaway.core.plan import start
from walkaway.core.retry import RETRIED_BY_STARTING

STARTED_AGAIN = "a new run"
"""Who answers the questions that starting a run answers."""

_SET_ASIDE = {"skip": "skipped", "defer": "deferred"}


STEPS = frozenset({"review", "step-blocked", "step-list"})
"""Questions about a step of a workflow that a person wrote."""


def answer(s: Snapshot, question_id: str, words: str, who: str) -> list[Event]:
    """Return the facts that follow from ``words``; raise `Usage` for an unknown question or answer."""
    question = s.questions.get(question_id)
    if question is None or not question.open:
        raise Usage(f"{question_id} does not wait for an answer; see walkaway status.")
    if words not in question.options:
        still = f" {question.gate} stays pending." if question.gate else ""
        raise Usage(f"'{words}' is no answer to {question_id}; it takes {' or '.join(question.options)}.{still}")
    events: list[Event] = [QuestionAnswered(question=question_id, answer=words, who=who)]
    if words == "start-anyway":
        events.append(BaselineAccepted(sha=s.milestone.target_sha))
    if words == "accept-as-is" and question.reason == "needs-remediation":
        events.append(MilestoneValidated(verdict="accepted by a person"))
    if question.reason in STEPS:
        events += _of_step(s.slices[_slice(question)], words, question.text)
    if question.reason == DISCUSS_SLICE and words in _SET_ASIDE:
        events.extend(_set_aside(s, parse_unit(question.unit).target, _SET_ASIDE[words], who))
    if question.reason == start.NO_RESEARCH and words == start.SKIP:
        events.append(NoteTaken(note=start.spared(s, question, who)))
    if words == "remediate":
        events.append(_mended(s, question))
    return events


def _of_step(step: Slice, words: str, why: str) -> list[Event]:
    """Return what becomes of a step: nothing where a person said it of the step itself meanwhile."""
    if words == "redo" and step.inactive:
        return [Reopened(target=step.id, why=why)]
    if words == "skip" and not step.inactive:
        return [SetAside(target=step.id, how="skipped", why=why)]
    return []


def _slice(question: Question) -> SliceId:
    """Return the step that a question is about, whether it was asked of the step or of one of its tasks."""
    return SliceId("/".join(parse_unit(question.unit).target.split("/")[:2]))


def _set_aside(s: Snapshot, target: str, how: str, who: str) -> list[Event]:
    """Return that a slice is set aside; nothing where somebody did that, or dropped it, while the question was open."""
    slice_ = s.slices.get(target)
    if slice_ is None or slice_.inactive:
        return []
    return [SetAside(target=target, how=how, why=f"{who} said so when asked before it was planned")]


def _mended(s: Snapshot, question: Question) -> Event:
    """Return the slice that brings what a person missed."""
    broken = s.slices[parse_unit(question.unit).target]
    mend = SlicePlan(
        id=slice_id(s.milestone.id, len(s.slices) + 1),
        title=f"Mend: {broken.title}",
        demo=broken.demo,
        goal=question.text,
        risk=broken.risk,
        depends=(broken.id,),
    )
    return RoadmapChanged(added=(mend,), changed=(), dropped=(), why=question.text)


def started_again(s: Snapshot) -> list[Event]:
    """Return the answers that a person gives by starting a run again after mending the world."""
    return [
        QuestionAnswered(question=q.id, answer="retry", who=STARTED_AGAIN)
        for q in s.questions.values()
        if q.open and q.reason in RETRIED_BY_STARTING and "retry" in q.options
    ]


def accepted_unverified(s: Snapshot) -> bool:
    """Whether a person said that this milestone may be integrated without a passing check."""
    return any(q.answer == "accept-unverified" for q in s.questions.values())


def of_reason(s: Snapshot, reason: str) -> Question | None:
    """Return the open question of this reason, if there is one."""
    return next((q for q in s.questions.values() if q.open and q.reason == reason), None)
