"""A unit's history -> again now, again later, or ask a person.

Rule: attempts, back-off and giving up are decided here and nowhere else, from persisted dispatches alone, by the
rules of `core/failing/failure.py`.

An *attempt* is a run that was judged and found wanting. A crash, a lost lease, a pause or a stop consumes none. The
count starts again after a success and after a person's answer to a question about the unit (a changed input). An answer
ends the count only: why the last run was refused, and its work, are handed on until the unit succeeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from walkaway.core.failing.failure import COUNTED, JUDGED, MENDED, RULES
from walkaway.core.failing.stuck import Hit, hits
from walkaway.core.ids import NO_SHA, NO_TEXT, Sha, TextHash, UnitKey
from walkaway.core.model import Dispatch, DispatchStatus, FailureKind, Snapshot

LEAST_TO_DIAGNOSE = 3  # before that there is little to compare
PROVIDER_WAIT_S = 30.0
PROVIDER_WAIT_MOST_S = 1800.0
TOLD_WAIT_MOST_S = 6 * 3600.0
"""A provider that names a longer time, or none that can be, is asked again after this: some limits last five hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Run it now, as this attempt; ``why`` and ``output`` say why it was last refused, ``carry`` is that work.

    ``diagnose``: why this attempt is to find the cause of what the others failed at, "" where it is as any other.
    """

    attempt: int
    why: str = ""
    output: TextHash = NO_TEXT
    carry: Sha = NO_SHA
    diagnose: str = ""


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
    circles = hits(s, runs)
    if given_up := _give_up(s, key, runs, failed, circles):
        return given_up
    if runs and runs[-1].next_run_at > s.now:
        return Later(until=runs[-1].next_run_at, why=runs[-1].why)
    attempt = len(failed) + 1
    diagnose = _diagnose(s, runs, attempt, circles)
    refused = [d for d in _since_success(s, key) if d.failure in JUDGED]
    if not refused:
        return Again(attempt=attempt, diagnose=diagnose)
    last = refused[-1]
    return Again(attempt=attempt, why=last.why, output=last.output, carry=last.commit_sha, diagnose=diagnose)


def _diagnose(s: Snapshot, runs: Sequence[Dispatch], attempt: int, circles: Sequence[Hit]) -> str:
    """Return why the next attempt is the one that diagnoses: it turns in circles, or this is its last.

    What ended without the agent's say does not use it up: the diagnosis is still to be made.
    """
    ended = [d for d in runs if d.failure in COUNTED]
    if circles:
        return circles[-1].why if circles[-1].run is ended[-1] else ""
    last = attempt == s.policy.attempts and attempt >= LEAST_TO_DIAGNOSE
    return f"It was refused {attempt - 1} times, and this is the last attempt before a person is asked." if last else ""


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


def _give_up(
    s: Snapshot, key: UnitKey, runs: Sequence[Dispatch], failed: Sequence[Dispatch], circles: Sequence[Hit]
) -> GiveUp | None:
    for kind, rule in RULES.items():
        if (asks := rule.asks) is None:
            continue
        if rule.attempt:
            found: Sequence[Dispatch] = failed
        elif kind is FailureKind.STUCK:
            found = [hit.run for hit in circles]
        else:
            found = runs[_last_index(runs, kind) :]
        if len(found) >= (s.policy.attempts if asks.most is None else asks.most):
            why = circles[-1].why if kind is FailureKind.STUCK else found[-1].why
            text = asks.text.format(key=key, count=len(found), why=why)
            text += tried(runs) if asks.tried else ""
            if rule.attempt and s.milestone.conflict_onto and key.kind == "resolve-conflict":
                return conflict(s, text)
            return GiveUp(reason=asks.reason, text=text, remedies=asks.remedies)
    return None


def conflict(s: Snapshot, text: str) -> GiveUp:
    """Return the question of a milestone that does not fit onto its target; an answer has it looked at anew."""
    return GiveUp(
        reason=str(FailureKind.CONFLICT),
        text=text,
        remedies=(f"change {s.milestone.target_branch} so that the files no longer conflict, then answer retry",),
    )


def tried(runs: Sequence[Dispatch]) -> str:
    """Return what was tried, one line a run in which the agent had its say, for a person."""
    return "\nTried:" + "".join(
        f"\n- {d.id}, attempt {d.attempt}: {d.failure}: {d.why}" for d in runs if d.failure in COUNTED
    )


RETRIED_BY_STARTING = MENDED | {
    "hook",
    "not-ready",
    "ready-to-integrate",
    "red-target",
    "target-missing",
    "untrusted-hook",
    "unverified",
}
"""Blocks that a person lifts in the world, not in the database: starting a run again looks once more."""
