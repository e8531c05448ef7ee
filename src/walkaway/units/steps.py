"""How the steps of a workflow that a person wrote differ: they close themselves, and nobody plans them anew."""

from typing import TYPE_CHECKING

from walkaway.core.ids import TaskId, UnitKey, slice_of
from walkaway.core.model import Snapshot

if TYPE_CHECKING:
    from walkaway.core.events import Event, QuestionRaised

ACCEPT, REDO = "accept", "redo"


def closed(s: Snapshot, task: TaskId, summary: str) -> "list[Event]":
    """Return what follows when a step's task is done: the last one closes the step, and a person may be asked."""
    from walkaway.core.events import SliceDone  # noqa: PLC0415 - kept off the query path

    slice_ = s.slices[slice_of(task)]
    if slice_.step is None or any(not t.inactive for t in s.tasks_of(slice_.id) if t.id != task):
        return []
    done: list[Event] = [SliceDone(slice=slice_.id, summary=summary)]
    if slice_.step.reviewer == "person":
        text = f"{slice_.id} '{slice_.title}' is done and waits for your eye: {summary}"
        done.append(review(s, UnitKey("execute-task", task), text))
    return done


def review(s: Snapshot, key: UnitKey, text: str) -> "QuestionRaised":
    """Return the question whether a step may stay as it was done."""
    from walkaway.core.derive import ask  # noqa: PLC0415 - kept off the query path
    from walkaway.core.events import QuestionRaised  # noqa: PLC0415
    from walkaway.core.retry import GiveUp  # noqa: PLC0415

    words = GiveUp(
        reason="review",
        text=text,
        remedies=("answer accept to go on, or redo to have the step done again",),
        options=(ACCEPT, REDO),
    )
    return QuestionRaised(question=ask(s, key, words))


def blocked(s: Snapshot, task: TaskId, why: str) -> "QuestionRaised":
    """Return the question about a step that cannot be done as it is written."""
    from walkaway.core.derive import ask  # noqa: PLC0415 - kept off the query path
    from walkaway.core.events import QuestionRaised  # noqa: PLC0415
    from walkaway.core.retry import GiveUp  # noqa: PLC0415

    words = GiveUp(
        reason="step-blocked",
        text=f"{task} cannot be done as its workflow says: {why}",
        remedies=("change what stands in the way, then answer retry", "answer skip to go on without this step"),
        options=("retry", "skip"),
    )
    return QuestionRaised(question=ask(s, UnitKey("execute-task", task), words))
