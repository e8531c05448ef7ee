"""A unit's history -> again now, again later, or ask a person.

Rule: attempts, back-off and giving up are decided here and nowhere else, from persisted dispatches alone.

An *attempt* is a run that was judged and found wanting. A crash, a lost lease, a pause or a stop consumes none. The
count starts again after a success and after a person's answer to a question about the unit (a changed input). An answer
ends the count only: why the last run was refused, and its work, are handed on until the unit succeeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from walkaway.core.ids import NO_SHA, NO_TEXT, Sha, TextHash, UnitKey
from walkaway.core.model import JUDGED, Dispatch, DispatchStatus, FailureKind, Snapshot

CRASHES_TO_BLOCK = 3
STUCK_TO_BLOCK = 2
PROVIDER_WAIT_S = 30.0
PROVIDER_WAIT_MOST_S = 1800.0
TOLD_WAIT_MOST_S = 6 * 3600.0
"""A provider that names a longer time, or none that can be, is asked again after this: some limits last five hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Run it now, as this attempt; ``why`` and ``output`` say why it was last refused, ``carry`` is that work."""

    attempt: int
    why: str = ""
    output: TextHash = NO_TEXT
    carry: Sha = NO_SHA


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Not before ``until`` (store's seconds)."""

    until: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """A person has to say how to go on."""

    reason: str
    text: str
    remedies: tuple[str, ...]
    options: tuple[str, ...] = ("retry",)
    gate: str = ""


def next_run(s: Snapshot, key: UnitKey) -> Again | Later | GiveUp:
    """Return whether the unit may run now, and as which attempt."""
    runs = counted(s, key)
    failed = [d for d in runs if d.failure in JUDGED]
    if given_up := _give_up(s, key, runs, failed):
        return given_up
    if runs and runs[-1].next_run_at > s.now:
        return Later(until=runs[-1].next_run_at, why=runs[-1].why)
    attempt = len(failed) + 1
    refused = [d for d in _since_success(s, key) if d.failure in JUDGED]
    if not refused:
        return Again(attempt=attempt)
    last = refused[-1]
    return Again(attempt=attempt, why=last.why, output=last.output, carry=last.commit_sha)


def counted(s: Snapshot, key: UnitKey) -> list[Dispatch]:
    """Return the ended runs of a unit since its last success or changed input, oldest first."""
    unit = str(key)
    start = max((q.after for q in s.questions.values() if q.unit == unit and not q.open), default=0)
    return [run for run in _since_success(s, key) if run.seq > start]


def _since_success(s: Snapshot, key: UnitKey) -> list[Dispatch]:
    """Return the ended runs of a unit since its last success, oldest first."""
    runs: list[Dispatch] = []
    for run in s.runs_of(key):
        if run.status is DispatchStatus.COMPLETED:
            runs = []
        elif not run.live:
            runs.append(run)
    return runs


def provider_wait(s: Snapshot, key: UnitKey, told: float | None = None) -> float:
    """Return how long to leave an unreachable provider alone, in seconds: as it said, else twice as long each time."""
    if told is not None:
        return told if 0 <= told <= TOLD_WAIT_MOST_S else TOLD_WAIT_MOST_S
    runs = counted(s, key)
    count = len(runs) - _last_index(runs, FailureKind.PROVIDER)
    return min(PROVIDER_WAIT_S * 2**count, PROVIDER_WAIT_MOST_S)


def _last_index(runs: Sequence[Dispatch], kind: FailureKind) -> int:
    """Return where the trailing run of failures of ``kind`` begins."""
    at = len(runs)
    while at and runs[at - 1].failure == kind:
        at -= 1
    return at


def _trailing(runs: Sequence[Dispatch], kind: FailureKind) -> int:
    return len(runs) - _last_index(runs, kind)


def _give_up(s: Snapshot, key: UnitKey, runs: Sequence[Dispatch], failed: Sequence[Dispatch]) -> GiveUp | None:
    last = runs[-1] if runs else None
    if failed and len(failed) >= s.policy.attempts:
        return GiveUp(
            reason="attempts",
            text=f"{key} was refused {len(failed)} times. The last time: {failed[-1].why}",
            remedies=("answer retry", "change the code, the specification or checks.commands, then answer retry"),
        )
    if _trailing(runs, FailureKind.LEASE_LOST) >= CRASHES_TO_BLOCK:
        return GiveUp(
            reason="kills-its-worker",
            text=f"{key} ended its worker {CRASHES_TO_BLOCK} times in a row without a report.",
            remedies=("look at the transcript of its last run, mend the cause, then answer retry",),
        )
    stuck = [d for d in runs if d.failure == FailureKind.STUCK]
    if len(stuck) >= STUCK_TO_BLOCK:
        return GiveUp(
            reason="stuck",
            text=f"{key} makes no progress: {stuck[-1].why}",
            remedies=("make the task smaller or clearer, then answer retry",),
        )
    if last and last.failure == FailureKind.ENVIRONMENT:
        return GiveUp(
            reason="environment",
            text=f"{key} cannot be done here: {last.why}",
            remedies=("install what is missing or correct setup.commands, then run walkaway auto again",),
        )
    if last and last.failure in {FailureKind.PROVIDER_REFUSED, FailureKind.GIT}:
        return GiveUp(
            reason=str(last.failure),
            text=f"{key} could not run: {last.why}",
            remedies=("mend what the message names, then run walkaway auto again",),
        )
    return None


RETRIED_BY_STARTING = frozenset(
    {
        "environment",
        "not-ready",
        "ready-to-integrate",
        "red-target",
        "target-missing",
        "unverified",
        FailureKind.PROVIDER_REFUSED,
        FailureKind.GIT,
    }
)
"""Blocks that a person lifts in the world, not in the database: starting a run again looks once more."""
