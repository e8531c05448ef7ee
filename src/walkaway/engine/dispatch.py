"""Carry one dispatch from where it stands to completed, failed or waiting for a person.

Effects follow facts: the claim is durable before anything is done, the work is sealed before it is reported, report
and commit are recorded together, and only then is anything judged.
"""

from dataclasses import dataclass, replace

from walkaway.core.brief import Brief, Limits, Watch
from walkaway.core.budget import left_usd, spent_usd
from walkaway.core.derive import Start
from walkaway.core.errors import (
    Cancelled,
    GitFailed,
    HookRefused,
    LimitReached,
    ProviderDown,
    Unanswered,
    WalkawayError,
)
from walkaway.core.events import (
    DispatchCanceled,
    DispatchClaimed,
    DispatchFailed,
    DispatchPaused,
    DispatchReported,
    DispatchStarted,
    DispatchStuck,
    Event,
)
from walkaway.core.failing.failure import RULES, kind_of
from walkaway.core.grant import Effect
from walkaway.core.ids import NO_SHA, NO_TEXT, DispatchId, Sha, TextHash
from walkaway.core.model import Checkout, Dispatch, FailureKind, Snapshot
from walkaway.core.retry import provider_wait
from walkaway.core.unit import Judged, UnitType, find
from walkaway.engine import checks, messages
from walkaway.engine.asking.agent import Asking
from walkaway.engine.desk import ReportDesk
from walkaway.engine.fleet import recover
from walkaway.engine.judge import conclude
from walkaway.engine.landing import conflict
from walkaway.engine.registers.side import Holding
from walkaway.engine.result import Progress
from walkaway.engine.run import Run
from walkaway.store.blobs import clean, text_hash
from walkaway.units import UNITS, registers, sections

LEAST_USD = 0.0001


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A dispatch under way: its unit type and the choice that began it."""

    unit: UnitType[object]
    start: Start
    id: DispatchId


def begin(run: Run, s: Snapshot, start: Start, instructions: str) -> DispatchId:
    """Claim the unit, let an agent do it by these ``instructions``, carry it to its end, and return what it was.

    Raises `StaleSnapshot` if the state moved since it was chosen; then nothing happened.
    """
    unit = replace(find(UNITS, start.key.kind), instructions=instructions)
    work = Work(unit=unit, start=start, id=DispatchId(f"{s.milestone.id}-D{len(s.dispatches) + 1:03}"))
    s = run.commit([_claim(run, s, work)], expect=s.rev)
    run.tally.turns += 1
    run.beat.doing(str(start.key))
    run.tell(Progress(kind="unit", text=str(start.key), unit=str(start.key), attempt=start.attempt))
    with run.halt.over(work.id):
        try:
            s, checkout = _do(run, s, work)
        except WalkawayError as error:
            _settle(run, work, error)
            return work.id
    conclude(run, s, s.dispatches[work.id], checkout)
    return work.id


def resume(run: Run, s: Snapshot, dispatch: Dispatch) -> None:
    """Go on with a reported dispatch at its verification, without the model."""
    key = str(dispatch.key)
    run.tell(Progress(kind="recovered", text=f"{key} was reported; going on with its verification", unit=key))
    run.beat.doing(key)
    run.tally.turns += 1
    conclude(run, s, dispatch, None)


def _claim(run: Run, s: Snapshot, work: Work) -> DispatchClaimed:
    return DispatchClaimed(
        dispatch=work.id,
        unit=work.start.key.kind,
        target=work.start.key.target,
        attempt=work.start.attempt,
        worker=run.lease.worker_id,
        epoch=run.lease.epoch,
        token=run.lease.fencing_token,
        base=s.milestone.head,
    )


def _do(run: Run, s: Snapshot, work: Work) -> tuple[Snapshot, Checkout]:
    run.gate()
    checkout = run.workspace.prepare(run.lease, s.milestone.head, conflict.carried(run, s, work.start))
    run.tally.worktree = checkout.path
    judged = work.unit.judged is not Judged.NOTHING
    if judged:
        checks.set_up(run, s, checkout.path)
    own = work.unit.verify(s, work.start.key.target, None)
    commands = checks.commands_of(run, s, checkout.path, own) if judged else ()
    s = run.commit([DispatchStarted(dispatch=work.id)])
    desk = ReportDesk(work.unit, s, work.start.key.target)
    holding = Holding(store=run.store, snapshot=s, key=work.start.key)
    known = registers.known(run.store.registers(), s, work.unit, work.start.key.target)
    texts = run.store.texts(sections.needs(s, work.unit, work.start))
    brief = Brief(
        unit=str(work.start.key),
        attempt=work.start.attempt,
        system=sections.system(work.unit),
        prompt=sections.prompt(s, work.unit, work.start, texts, commands, _left_behind(run, s, work), known),
        grant=work.unit.grant,
        limits=_limits(run, s),
    )
    transcript = recover.transcript_of(run.settings.state_dir, work.id)
    run.agent.run(brief, checkout.path, desk.desk(holding.tools(work.unit.side)), _watch(run, work), transcript)
    run.gate()
    report, held = clean(desk.accepted), holding.text()
    message = messages.of_unit(s, work.start.key, report, dispatch=work.id, lease=run.lease)
    wrote, onto = Effect.WRITE in work.unit.grant.effects, conflict.onto(s, work.start)
    sha = run.workspace.seal(checkout, message, work=wrote, onto=onto)
    reported = DispatchReported(dispatch=work.id, report=text_hash(report), commit=sha, held=text_hash(held))
    return run.commit([reported], texts=[report, held]), checkout


def _left_behind(run: Run, s: Snapshot, work: Work) -> str:
    """Return what the last run of this unit did before its worker died, from the transcript that survived it."""
    last = recover.interrupted(s, work.start.key)
    if last is None:
        return ""
    told = recover.briefing(recover.transcript_of(run.settings.state_dir, last.id))
    if told:
        run.step(f"taking up what {last.id} left in its transcript", str(work.start.key))
    return told


def _watch(run: Run, work: Work) -> Watch:
    unit = str(work.start.key)
    asking = Asking(run=run, key=work.start.key)

    def saw(kind: str, text: str) -> None:
        run.tell(Progress(kind="wait" if kind == "wait" else "agent", text=text, unit=unit))

    return Watch(
        gate=run.gate,
        spent=lambda call: (
            run.spent(work.id, call),
            run.tell(Progress(kind="usage", text="", unit=unit, usage=run.tally.usage)),
        )[0],
        saw=saw,
        heard=run.heard,
        asks=asking.asks,
        pending=asking.pending,
    )


def _limits(run: Run, s: Snapshot) -> Limits:
    """Return the conversation's bounds: never more money than the milestone and this run have left."""
    caps = [cap for cap in (left_usd(s.policy, s.usage), _left_of_run(run)) if cap is not None]
    return replace(run.settings.limits, usd=max(min(caps), LEAST_USD) if caps else None)


def _left_of_run(run: Run) -> float | None:
    return None if run.usd is None else run.usd - spent_usd(run.tally.usage)


def _settle(run: Run, work: Work, error: WalkawayError) -> None:
    """End a dispatch that did not report; raise ``error`` again where it ends the run."""
    if run.beat.lost:
        raise error
    key = str(work.start.key)
    s = run.store.snapshot(run.scope)
    try:
        left = _salvage(run, s, work, error)
    except GitFailed as worse:
        error, left = worse, NO_SHA
    output = clean(getattr(error, "output", ""))
    cancelled = run.halt.why_cancelled() if isinstance(error, Cancelled) else ""
    if cancelled:
        event: Event = DispatchCanceled(dispatch=work.id, failure=FailureKind.CANCELLED, why=cancelled)
    else:
        event = _ending(s, work, error, text_hash(output) if output else NO_TEXT, left)
    after = run.commit([event], texts=[output])
    if left:
        run.workspace.rescue(run.lease, work.id, left)
    run.project(after)
    if isinstance(error, Unanswered) and not cancelled:
        run.step(str(error), key)
        return
    run.tell(Progress(kind="unit-failed", text=str(error), unit=key, attempt=work.start.attempt))
    if not cancelled and not isinstance(event, DispatchFailed | DispatchStuck):
        raise error


def _salvage(run: Run, s: Snapshot, work: Work, error: WalkawayError) -> Sha:
    """Return the work of a run that was judged before it could be sealed; NO_SHA where there is none to go on from."""
    if not isinstance(error, HookRefused | LimitReached) or Effect.WRITE not in work.unit.grant.effects:
        return NO_SHA
    return run.workspace.salvage(run.lease, s.milestone.head)


def _ending(s: Snapshot, work: Work, error: WalkawayError, output: TextHash, left: Sha) -> Event:
    why, kind = str(error), kind_of(error)
    if isinstance(error, Cancelled):
        return DispatchPaused(dispatch=work.id, why=why)
    if kind is FailureKind.STUCK:
        return DispatchStuck(dispatch=work.id, why=why)
    if RULES[kind].ends_run:
        return DispatchCanceled(dispatch=work.id, failure=kind, why=why)
    next_run_at = 0.0
    if isinstance(error, ProviderDown):
        next_run_at = s.now + provider_wait(s, work.start.key, error.retry_after)
    return DispatchFailed(dispatch=work.id, failure=kind, why=why, output=output, next_run_at=next_run_at, commit=left)
