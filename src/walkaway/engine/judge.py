"""Judge a reported dispatch and record what follows: done, refused, or a question for a person."""

import json
from collections.abc import Sequence

from walkaway.core.errors import CannotRun, GitFailed
from walkaway.core.events import DispatchCompleted, DispatchFailed
from walkaway.core.failing.stuck import MISSING, missing_in
from walkaway.core.ids import NO_SHA, NO_TEXT
from walkaway.core.model import Checkout, Dispatch, Evidence, FailureKind, Phase, Snapshot
from walkaway.core.retry import GiveUp
from walkaway.core.unit import Accepting, Judged, UnitType, find
from walkaway.core.verdict import Accepted, Rejected, Unjudged, judge
from walkaway.engine.checks import examine
from walkaway.engine.integrate import integrate
from walkaway.engine.landing import conflict
from walkaway.engine.landing.proof import prove
from walkaway.engine.registers.side import saved
from walkaway.engine.result import Progress
from walkaway.engine.run import Run
from walkaway.store.codec import decode
from walkaway.units import UNITS

UNCHANGED = (
    "No file was changed: a report without the work is no work. "
    "Do what the task asks for; if nothing is left to do, report a blocker that says so."
)


def conclude(run: Run, s: Snapshot, d: Dispatch, checkout: Checkout | None) -> None:
    """Carry a reported dispatch to its end; ``checkout`` is where its commit lies, if this process just sealed it.

    Where a person is needed the dispatch stays reported, with a question: it goes on here once answered, without the
    model.
    """
    unit = find(UNITS, d.unit)
    try:
        if unit.judged is Judged.WORK:
            s, verdict = _work(run, s, d, checkout, unit)
        elif unit.judged is Judged.INTEGRATION:
            s, verdict = integrate(run, s, d)
        else:
            verdict = Accepted(verified=False)
    except CannotRun as error:
        verdict = Unjudged(why=str(error), output=d.output)
    except GitFailed as error:
        run.ask(run.store.snapshot(run.scope), d.key, _git_failed(d, error))
        return
    match verdict:
        case Accepted():
            _accept(run, s, d, unit, verdict)
        case Rejected():
            _reject(run, s, d, verdict)
        case Unjudged():
            run.ask(run.store.snapshot(run.scope), d.key, _cannot_judge(d, verdict))
    # None: `integrate` has asked a person, or found a conflict


def _work(
    run: Run, s: Snapshot, d: Dispatch, checkout: Checkout | None, unit: UnitType[object]
) -> tuple[Snapshot, Accepted | Rejected | Unjudged]:
    report = _report(run, d, unit)
    if rejected := conflict.unresolved(run, s, d):
        return s, rejected
    changes = unit.changes(s, d.target, report)
    if changes and not run.workspace.changed(d.base_sha, d.commit_sha):
        return s, Rejected(why=UNCHANGED, output=NO_TEXT)
    own = unit.verify(s, d.target, report)
    if checkout is None:
        checkout = run.workspace.prepare(run.lease, d.commit_sha, NO_SHA)
    seen: Sequence[Evidence]
    s, seen = examine(
        run,
        s,
        path=checkout.path,
        dispatch=d.id,
        phase=Phase.WORK,
        tree=d.commit_sha,
        base=s.milestone.target_sha,
        own=own,
    )
    projects = run.verifier.checks(checkout.path, s.policy.checks)
    verdict = judge(seen, planned="" if own in projects else own)
    return prove(run, s, d, seen, verdict) if changes else (s, verdict)


def _accept(run: Run, s: Snapshot, d: Dispatch, unit: UnitType[object], verdict: Accepted) -> None:
    facts = unit.accept(s, d.target, _report(run, d, unit), Accepting(dispatch=d, verified=verdict.verified))
    held = saved(run.store.texts([d.held])[d.held])
    events = [*facts, *held, DispatchCompleted(dispatch=d.id, head=d.commit_sha)]
    after = run.commit(events)
    run.tally.units += 1
    run.project(after)
    ended = after.dispatches[d.id]
    run.tell(
        Progress(
            kind="unit-done",
            text="verified" if verdict.verified else "",
            unit=str(d.key),
            attempt=d.attempt,
            seconds=ended.ended_at - ended.claimed_at,
            usage=run.tally.usage,
        )
    )


def _report(run: Run, d: Dispatch, unit: UnitType[object]) -> object:
    return decode(unit.report, json.loads(run.store.texts([d.report])[d.report]))


def _reject(run: Run, s: Snapshot, d: Dispatch, verdict: Rejected) -> None:
    why = verdict.why
    if verdict.output and (path := missing_in(run.store.texts([verdict.output])[verdict.output])):
        why += MISSING.format(path)
    failed = DispatchFailed(
        dispatch=d.id,
        failure=FailureKind.VERIFICATION,
        why=why,
        output=verdict.output,
        next_run_at=s.now,
    )
    after = run.commit([failed])
    run.workspace.rescue(run.lease, d.id, d.commit_sha)
    run.project(after)
    run.tell(Progress(kind="unit-failed", text=why, unit=str(d.key), attempt=d.attempt))


def _cannot_judge(d: Dispatch, verdict: Unjudged) -> GiveUp:
    return GiveUp(
        reason="environment",
        text=f"{d.key} is done, but it cannot be verified here: {verdict.why}",
        remedies=(
            "install what is missing, or correct checks.commands or setup.commands, then run walkaway auto again",
        ),
    )


def _git_failed(d: Dispatch, error: GitFailed) -> GiveUp:
    return GiveUp(
        reason=FailureKind.GIT,
        text=f"{d.key} is done, but git stands in the way: {error}",
        remedies=("mend what the message names, then run walkaway auto again",),
    )
