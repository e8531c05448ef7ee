"""Snapshots made by folding events: no other way leads to a state."""

from dataclasses import replace

from walkaway.core import events as e
from walkaway.core.evolve import evolve
from walkaway.core.ids import DispatchId, MilestoneId, ProjectId, Scope, Sha, TextHash, UnitKey
from walkaway.core.model import Milestone, Policy, Snapshot

M = MilestoneId("M001")
TEXT = TextHash("a" * 64)
REPORT = TextHash("c" * 64)


def sha(n: int) -> Sha:
    return Sha(f"{n:040x}")


def blank() -> Snapshot:
    return Snapshot(project=ProjectId("p"), scope=Scope(M), rev=0, now=0.0, milestone=Milestone(id=M, title=""))


def fold(s: Snapshot, *events: e.Event, at: float = 100.0) -> Snapshot:
    for event in events:
        s = evolve(s, event, at)
    return replace(s, now=max(s.now, at))


def created(policy: Policy | None = None) -> Snapshot:
    return fold(
        blank(),
        e.MilestoneCreated(milestone=M, title="T", context=TEXT),
        e.PolicyChanged(policy=policy or Policy()),
        e.TargetPinned(branch="main", sha=sha(1)),
        e.BaselineAccepted(sha=sha(1)),
    )


def claim(s: Snapshot, key: UnitKey, attempt: int = 1) -> tuple[Snapshot, DispatchId]:
    d = DispatchId(f"M001-D{len(s.dispatches) + 1:03}")
    event = e.DispatchClaimed(
        dispatch=d,
        unit=key.kind,
        target=key.target,
        attempt=attempt,
        worker="w",
        epoch=1,
        token=1,
        base=s.milestone.head,
    )
    return fold(s, event), d


def running(s: Snapshot, key: UnitKey, attempt: int = 1) -> tuple[Snapshot, DispatchId]:
    s, d = claim(s, key, attempt)
    return fold(s, e.DispatchStarted(dispatch=d)), d


def reported(s: Snapshot, key: UnitKey, attempt: int = 1) -> tuple[Snapshot, DispatchId]:
    s, d = running(s, key, attempt)
    return fold(s, e.DispatchReported(dispatch=d, report=REPORT, commit=sha(100 + len(s.dispatches)))), d


def failed(s: Snapshot, key: UnitKey, kind: str = "verification", next_run_at: float = 0.0) -> Snapshot:
    s, d = reported(s, key)
    return fold(s, e.DispatchFailed(dispatch=d, failure=kind, why="no", output=TEXT, next_run_at=next_run_at))


def crashed(s: Snapshot, key: UnitKey) -> Snapshot:
    s, d = running(s, key)
    return fold(s, e.DispatchCanceled(dispatch=d, failure="lease-lost", why="gone"))
