"""Cut a step of a workflow into tasks, once the list that it is to be done for lies in the milestone's work."""

from walkaway.core.ids import SliceId, UnitKey
from walkaway.core.model import Slice, Snapshot
from walkaway.core.plan.expand import expanded
from walkaway.core.plan.step import MOST_BYTES, MOST_ITEMS, Step, items
from walkaway.core.retry import GiveUp
from walkaway.engine.run import Run


def expand(run: Run, s: Snapshot, target: SliceId) -> None:
    """Record one task for each item of the step's list; nothing on it: the step is skipped.

    A list that is missing, too long or too large is a question. Raises `StaleSnapshot` if the state moved since it was
    chosen, `GitFailed` where the work is not in this clone.
    """
    slice_ = s.slices[target]
    step = slice_.step or Step(prompt="")
    text = run.workspace.read(s.milestone.head, step.source, MOST_BYTES)
    found = () if text is None else items(step, text)
    if text is None or len(found) > MOST_ITEMS:
        run.ask(s, UnitKey("expand-step", target), _unusable(slice_, step, text, len(found)))
        return
    run.step(f"{target} is to be done for {len(found)} items of {step.source}", target)
    run.project(run.commit(expanded(slice_, found), expect=s.rev))


def _unusable(slice_: Slice, step: Step, text: str | None, count: int) -> GiveUp:
    wrong = f"is not there, or larger than {MOST_BYTES} bytes" if text is None else f"has {count} items"
    return GiveUp(
        reason="step-list",
        text=f"{slice_.id} '{slice_.title}' cannot be cut into tasks: {step.source} {wrong} (at most {MOST_ITEMS}).",
        remedies=(
            "answer skip to go on without this step",
            f"walkaway reopen the step that makes {step.source}, then answer retry",
        ),
        options=("retry", "skip"),
    )
