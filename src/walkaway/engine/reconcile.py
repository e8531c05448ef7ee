"""Before a unit is begun: what should be so is looked at, mended where that is safe, and looked at once more.

Rule: at most two passes. What is still wrong after them blocks the milestone with its names; nothing is begun on top.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from walkaway.core.ids import UnitKey
from walkaway.core.model import Snapshot
from walkaway.core.retry import GiveUp
from walkaway.engine.run import Run

PASSES = 2
REASON = "not-ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Something that is not as the database says it should be; ``mend`` is None where only a person can."""

    code: str
    text: str
    remedy: str
    mend: Callable[[], None] | None = None


def ready(run: Run, s: Snapshot, key: UnitKey) -> bool:
    """Whether a unit may be begun; if not, a question with the names of what is wrong has been raised."""
    found: Sequence[Drift] = ()
    for _ in range(PASSES):
        found = _drifts(run, s)
        if not found:
            return True
        for drift in found:
            if drift.mend is not None:
                run.step(f"mending {drift.code}: {drift.text}")
                drift.mend()
    found = _drifts(run, s)
    if found:
        run.ask(s, key, _blocked(key, found))
    return not found


def _drifts(run: Run, s: Snapshot) -> list[Drift]:
    found = [Drift(code=t.code, text=t.text, remedy=t.remedy) for t in run.settings.health()]
    live = s.live
    if live is not None and (live.epoch, live.fencing_token) != (run.lease.epoch, run.lease.fencing_token):
        text = f"Dispatch {live.id} is live under a fence that is not this worker's."
        found.append(Drift(code="foreign-dispatch", text=text, remedy="see walkaway doctor"))
    view = os.path.join(run.settings.state_dir, "view", "STATE.md")
    if not os.path.exists(view):
        text = f"{view} is missing."
        mend = f"make {os.path.dirname(view)} writable"
        found.append(Drift(code="projection-missing", text=text, remedy=mend, mend=lambda: run.project(s)))
    return found


def _blocked(key: UnitKey, found: Sequence[Drift]) -> GiveUp:
    named = "; ".join(f"{drift.code}: {drift.text}" for drift in found)
    return GiveUp(
        reason=REASON,
        text=f"{key} was not begun, because something is wrong that walkaway cannot mend: {named}",
        remedies=tuple(dict.fromkeys(f"{drift.remedy}, then run walkaway auto again" for drift in found)),
    )
