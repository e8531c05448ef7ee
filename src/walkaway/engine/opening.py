"""What happens once when a worker has taken a milestone, before it chooses a unit.

The settings that decide are stored; a person who starts a run again answers the questions that starting answers; the
target is pinned and its checks are seen not to fail, before the first token is spent.
"""

from contextlib import suppress

from walkaway.core.answer import started_again
from walkaway.core.errors import CannotRun, StaleSnapshot, Usage
from walkaway.core.events import BaselineAccepted, Event, PolicyChanged, TargetPinned
from walkaway.core.ids import MilestoneId, UnitKey
from walkaway.core.model import MilestoneStatus, Phase, Snapshot
from walkaway.core.retry import GiveUp
from walkaway.core.verdict import Accepted, Rejected, judge
from walkaway.engine.checks import examine
from walkaway.engine.run import Run

RED_TARGET = "red-target"


def open_milestone(run: Run, target: str | None) -> None:
    """Make a milestone ready for its next unit; raise `Usage` for a target that cannot be."""
    s = _settled(run, target)
    if s.milestone.status is MilestoneStatus.COMPLETE or s.milestone.aside:
        return
    s = draw_line(run)
    if run.lease.fencing_token > 1:
        _tidy(run, s)
    if not s.dispatches and s.milestone.baseline_sha != s.milestone.target_sha and not s.blocked_by:
        s = _baseline(run, s)
    run.project(run.store.snapshot(run.scope))


def draw_line(run: Run) -> Snapshot:
    """Point the milestone's line at its head, and return the state that says where that is.

    Until then the fence's own branch keeps the work reachable. The line is read before the state: a worker that was
    superseded since finds it moved, and cannot take it back.
    """
    while True:
        seen = run.workspace.line(MilestoneId(run.scope))
        s = run.store.snapshot(run.scope)
        if s.milestone.head in {s.milestone.target_sha, seen}:
            return s
        with suppress(StaleSnapshot):  # somebody else drew it meanwhile: look again
            run.workspace.advance_line(s.milestone.id, s.milestone.head, seen)
            return s


def _settled(run: Run, target: str | None) -> Snapshot:
    """Record what this start changes, and return the state after it."""
    while True:
        s = run.store.snapshot(run.scope)
        if s.milestone.status is MilestoneStatus.COMPLETE or s.milestone.aside:
            return s
        events: list[Event] = [*started_again(s)]
        if s.policy != run.settings.policy:
            events.append(PolicyChanged(policy=run.settings.policy))
        events.extend(_pinned(run, s, target))
        if not events:
            return s
        try:
            return run.commit(events, expect=s.rev)
        except StaleSnapshot:
            run.step("somebody acted meanwhile; looking again")


def _pinned(run: Run, s: Snapshot, target: str | None) -> list[Event]:
    """Pin the target; while no unit has started it follows the branch, afterwards it stays."""
    m = s.milestone
    if s.dispatches:
        if target not in (None, m.target_branch):
            raise Usage(
                f"{m.id} integrates into {m.target_branch} since its first unit started; "
                f"run it without --target, or with --target {m.target_branch}."
            )
        return []
    pin = run.workspace.pin(target or m.target_branch or None)
    if (pin.branch, pin.sha) == (m.target_branch, m.target_sha):
        return []
    return [TargetPinned(branch=pin.branch, sha=pin.sha)]


def _tidy(run: Run, s: Snapshot) -> None:
    """Clear what earlier fences left, keeping every commit and every file that is somebody's."""
    for path in run.workspace.release(run.lease, s.milestone.head):
        run.step(f"kept {path}: it holds files that are in no commit")


def _baseline(run: Run, s: Snapshot) -> Snapshot:
    m = s.milestone
    key = UnitKey("plan-milestone", m.id)
    run.step(f"checking {m.target_branch} as it is")
    reason, said = "environment", "cannot be checked"
    try:
        with run.workspace.clean_checkout(run.lease, m.target_sha, "baseline") as path:
            s, seen = examine(
                run, s, path=path, dispatch="", phase=Phase.BASELINE, tree=m.target_sha, base=m.target_sha
            )
        verdict = judge(seen)
        if isinstance(verdict, Accepted):
            return run.commit([BaselineAccepted(sha=m.target_sha)])
        why = verdict.why
        if isinstance(verdict, Rejected):
            reason, said = RED_TARGET, "is not green"
    except CannotRun as error:
        why = str(error)
    s = run.store.snapshot(run.scope)
    run.ask(
        s,
        key,
        GiveUp(
            reason=reason,
            text=f"{m.target_branch} at {m.target_sha[:12]} {said} before anything is changed. {why}",
            remedies=(
                f"mend {m.target_branch} and run walkaway auto again",
                "set checks.commands to commands that pass on it, then run walkaway auto again",
                "answer start-anyway to begin on it as it is",
            ),
            options=("retry", "start-anyway"),
        ),
    )
    return s
