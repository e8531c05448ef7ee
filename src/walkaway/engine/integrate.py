"""Put a milestone on its target: prepare in private, check in a clean checkout, record, publish by compare-and-swap.

What is published is exactly the commit that was recorded, so doing it again after a crash is harmless, and a worker
whose fence is old can publish only what the record already allows.
"""

from contextlib import suppress
from shlex import quote

from walkaway.core.answer import accepted_unverified
from walkaway.core.errors import Conflict, NotPublishable, StaleSnapshot, Usage
from walkaway.core.events import IntegrationPrepared, IntegrationStale
from walkaway.core.ids import NO_SHA, Sha
from walkaway.core.model import Dispatch, Phase, Snapshot
from walkaway.core.retry import GiveUp
from walkaway.core.verdict import Accepted, Rejected, Unjudged, judge
from walkaway.engine import messages
from walkaway.engine.checks import examine
from walkaway.engine.landing import conflict
from walkaway.engine.result import Progress
from walkaway.engine.run import Run

MOVES_MOST = 3

Verdict = Accepted | Rejected | Unjudged | None


def integrate(run: Run, s: Snapshot, d: Dispatch) -> tuple[Snapshot, Verdict]:
    """Bring the sealed work of ``d`` onto the target branch.

    Return Accepted once it is there, Rejected or Unjudged as the checks of the integrated tree say, None where a
    person was asked, or a conflict was found that a unit is to resolve. Raises `CannotRun`.
    """
    while True:
        if not s.milestone.prepared_sha:
            s, verdict = _prepare(run, s, d)
            if not isinstance(verdict, Accepted):
                return s, verdict
        m = s.milestone
        line = run.workspace.line(m.id)
        run.gate()
        try:
            run.workspace.publish(m.target_branch, m.prepared_base, m.prepared_sha)
        except StaleSnapshot:
            s = _stale(run, s, d)
            if s.blocked_by:
                return s, None
            continue
        except NotPublishable as error:
            run.ask(s, d.key, _ready(s, error))
            return s, None
        with suppress(StaleSnapshot):  # whoever moved the line has superseded us: the next write says so
            run.workspace.advance_line(m.id, d.commit_sha, line)  # before it is complete: nobody opens it afterwards
        run.tally.commits.append(m.prepared_sha)
        moved = f"{m.target_branch} is at {m.prepared_sha[:12]}"
        run.tell(Progress(kind="published", text=moved, unit=str(d.key), commit=m.prepared_sha))
        return s, Accepted(verified=m.verified)


def _prepare(run: Run, s: Snapshot, d: Dispatch) -> tuple[Snapshot, Verdict]:
    m = s.milestone
    tip = _tip(run, s, d)
    if not tip:
        return s, None
    run.step(f"integrating onto {m.target_branch} at {tip[:12]}", str(d.key))
    report = run.store.texts([d.report])[d.report]
    message = messages.of_integration(s, d.key, report, dispatch=d.id, lease=run.lease)
    try:
        sha = run.workspace.integrate(tip, d.commit_sha, message)
    except Conflict as error:
        conflict.found(run, d, tip, error)
        return run.store.snapshot(run.scope), None
    with run.workspace.clean_checkout(run.lease, sha, "integration") as path:
        s, seen = examine(run, s, path=path, dispatch=d.id, phase=Phase.INTEGRATION, tree=sha, base=tip)
    verdict = judge(seen)
    if not isinstance(verdict, Accepted):
        return s, verdict
    if not verdict.verified and not accepted_unverified(s) and run.workspace.changed(tip, sha):
        run.ask(s, d.key, _unverified(s))
        return s, None
    prepared = IntegrationPrepared(dispatch=d.id, base=tip, commit=sha, verified=verdict.verified)
    return run.commit([prepared]), verdict


def _stale(run: Run, s: Snapshot, d: Dispatch) -> Snapshot:
    m = s.milestone
    tip = _tip(run, s, d)
    if not tip:
        return run.store.snapshot(run.scope)
    s = run.commit([IntegrationStale(dispatch=d.id, tip=tip, sibling=run.store.is_integration(tip))])
    if s.milestone.stale_count < MOVES_MOST:
        return s
    why = GiveUp(
        reason="target-moves",
        text=f"{m.target_branch} moved {MOVES_MOST} times while {m.id} was being checked on top of it.",
        remedies=(f"let {m.target_branch} rest for as long as its checks take, then answer retry",),
    )
    run.ask(s, d.key, why)
    return run.store.snapshot(run.scope)


def _tip(run: Run, s: Snapshot, d: Dispatch) -> Sha:
    """Return the target's tip; where the branch is gone, ask a person and return NO_SHA."""
    try:
        return run.workspace.pin(s.milestone.target_branch).sha
    except Usage:  # of a branch that was there when it was pinned
        run.ask(s, d.key, _missing(s))
        return NO_SHA


def _missing(s: Snapshot) -> GiveUp:
    m = s.milestone
    seen = m.prepared_base or m.target_sha
    return GiveUp(
        reason="target-missing",
        text=f"{m.id} is finished, but {m.target_branch}, which it is to be integrated into, is gone. It was last seen "
        f"at {seen}.",
        remedies=(f"git branch {quote(m.target_branch)} {seen}, then run walkaway auto again",),
    )


def _ready(s: Snapshot, error: NotPublishable) -> GiveUp:
    m = s.milestone
    files = ", ".join(error.files[:10])
    more = f" Files in the way: {files}." if files else ""
    return GiveUp(
        reason="ready-to-integrate",
        text=f"{m.id} is finished and checked as {m.prepared_sha[:12]}, but {m.target_branch} was not moved: "
        f"{error}{more}",
        remedies=(
            f"commit, stash or move the files away in your checkout of {m.target_branch}, then run walkaway auto again",
            f"or integrate it yourself (git merge --ff-only {m.prepared_sha[:12]}), then run walkaway auto again",
        ),
    )


def _unverified(s: Snapshot) -> GiveUp:
    return GiveUp(
        reason="unverified",
        text=f"No check has passed on the integrated tree of {s.milestone.id}, so nothing shows that it works.",
        remedies=(
            "set checks.commands to commands that check it, then run walkaway auto again",
            "answer accept-unverified to integrate it as it is",
        ),
        options=("retry", "accept-unverified"),
    )
