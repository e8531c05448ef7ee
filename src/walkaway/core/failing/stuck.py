"""Does a unit turn in circles?  Its persisted ends -> the moments at which it was seen to.

Rule: only ends in which the agent had its say are looked at (`failure.COUNTED`), at most the last six: crashes, pauses,
cancellations and waits for a provider say nothing about the work. A completed run is progress, and nothing else is: a
unit that may come again after a success (a trial, a validation) bounds its own rounds. The first such moment is
answered by one attempt that diagnoses, the second by a person.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from walkaway.core.failing.failure import COUNTED
from walkaway.core.model import Dispatch, DispatchStatus, FailureKind, Snapshot

WINDOW = 6
SAME_UNIT = 3
LONGEST_CYCLE = 3

MISSING = " It looked for `{}`, which is not there."
"""What is added to the reason of a refusal whose output names a path that is missing."""

_NAMED = re.compile(
    r"[Nn]o such file or directory(?:: |, \w+ )['\"](?P<quoted>[^'\"\n]{1,300})['\"]"
    r"|(?P<plain>[^\s:'\"`]{1,300}): No such file or directory"
)
_TOLD = re.compile(re.escape(MISSING).replace(r"\{\}", "([^`\n]+)") + r"\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A unit was seen to make no progress at the end of ``run``, and how."""

    run: Dispatch
    why: str


def hits(s: Snapshot, runs: Sequence[Dispatch]) -> list[Hit]:
    """Return where a unit was stuck among its ``runs`` since its last success or changed input, oldest first."""
    own = [run for run in runs if run.failure in COUNTED]
    found = []
    for number, run in enumerate(own, 1):
        if why := _circle(s, own[max(number - WINDOW, 0) : number]):
            found.append(Hit(run=run, why=why))
    return found


def _circle(s: Snapshot, own: Sequence[Dispatch]) -> str:
    """Return how the last of these ends repeats what was before, in words; "" where it does not."""
    last = own[-1]
    if last.failure == FailureKind.STUCK:
        return last.why
    if len(own) > 1 and _error(own[-2]) == _error(last):
        return f"It was refused twice in a row for the same reason: {last.why}"
    if (path := _missing(last)) and path in {_missing(run) for run in own[:-1]}:
        return f"It was refused twice because `{path}` is not there."
    if len(own) >= max(SAME_UNIT, s.policy.attempts):
        return f"It ended {len(own)} times without a result. The last time: {last.why}"
    if cycle := _cycle(s, last):
        return f"{' and '.join(cycle)} take turns without a result. The last: {last.why}"
    return ""


def _error(run: Dispatch) -> tuple[str, str, str]:
    """Return what makes two errors the same: one check may fail for many reasons, so its output counts too."""
    return run.failure, run.why, run.output


def _missing(run: Dispatch) -> str:
    return missing_of(run.why) if run.failure == FailureKind.VERIFICATION else ""


def _cycle(s: Snapshot, last: Dispatch) -> list[str]:
    """Return the units that took turns twice, up to and with the end of ``last``; none where they did not."""
    keys = [str(run.key) for run in _since_progress(s, last)]
    for length in range(2, LONGEST_CYCLE + 1):
        turn = keys[-length:]
        if len(set(turn)) > 1 and keys[-2 * length :] == turn * 2:
            return sorted(set(turn))
    return []


def _since_progress(s: Snapshot, last: Dispatch) -> list[Dispatch]:
    """Return the milestone's latest counted ends up to ``last``, after any success and any changed input."""
    start = max((q.after for q in s.questions.values() if not q.open), default=0)
    ends: list[Dispatch] = []
    for run in s.dispatches.values():
        if run.status is DispatchStatus.COMPLETED:
            ends = []
        elif start < run.seq <= last.seq and run.failure in COUNTED:
            ends.append(run)
        if run.id == last.id:
            break
    return ends[-WINDOW:]


def missing_in(output: str) -> str:
    """Return the last path that an output says is missing, or "": two equal ones are the same trouble, no more."""
    named = [found["quoted"] or found["plain"] for found in _NAMED.finditer(output)]
    return named[-1].replace("`", "") if named else ""


def missing_of(why: str) -> str:
    """Return the missing path that a refusal's reason tells of, or ""."""
    found = _TOLD.search(why)
    return found[1] if found else ""
