"""Before a unit is begun and after it ended the user's own commands are asked, and what they answer becomes a fact."""

from walkaway.core.derive import Start
from walkaway.core.events import Event, NoteTaken, SetAside
from walkaway.core.ids import DispatchId, UnitKey
from walkaway.core.model import Note, Snapshot
from walkaway.core.plan import hook
from walkaway.core.plan.hook import AFTER, BEFORE, Moment, Skip, Stop
from walkaway.core.plan.profile import LEFT_OUT
from walkaway.core.retry import GiveUp
from walkaway.core.unit import find
from walkaway.engine.fleet.stopping import Stopping
from walkaway.engine.result import Progress, Status
from walkaway.engine.run import Run
from walkaway.store.blobs import clean, text_hash
from walkaway.units import UNITS


def before(run: Run, s: Snapshot, start: Start) -> str | None:
    """Return the instructions with which a unit is to be begun; None where it is not: a fact or a question says why."""
    own = find(UNITS, start.key.kind).instructions
    if run.settings.hooks is None:
        return own
    moment = Moment(when=BEFORE, milestone=s.milestone.id, key=start.key, attempt=start.attempt)
    said = run.settings.hooks(moment, run.cancel)
    run.gate()
    if isinstance(said, GiveUp):
        run.ask(s, start.key, said)
        return None
    skip = next((each for each in said if isinstance(each, Skip)), None)
    if skip is not None:
        _leave_out(run, s, start.key, skip)
        return None
    for name in dict.fromkeys(each.hook for each in said):
        run.tell(Progress(kind="note", text=f"The hook '{name}' changed the brief.", unit=str(start.key)))
    return hook.instructions(own, said)


def _leave_out(run: Run, s: Snapshot, key: UnitKey, skip: Skip) -> None:
    why = f"The hook '{skip.hook}': {skip.reason}"
    if not hook.may_leave_out(s, key):
        text = f"The hook '{skip.hook}' wants to skip {key}, which {s.milestone.id} cannot do without."
        remedies = ("have it skip tasks, or steps that a profile may leave out, then run walkaway auto again",)
        run.ask(s, key, GiveUp(reason="hook", text=text, remedies=remedies))
        return
    report = clean(why)
    if key.kind == "execute-task":
        event: Event = SetAside(target=key.target, how="skipped", why=why)
    else:
        event = NoteTaken(
            note=Note(
                id=f"{s.milestone.id}-N{len(s.notes) + 1}",
                kind=LEFT_OUT,
                target=str(key),
                verdict="",
                summary=why,
                report=text_hash(report),
            )
        )
    run.project(run.commit([event], expect=s.rev, texts=[report]))
    run.tell(Progress(kind="note", text=f"{key} is left out. {why}", unit=str(key)))


def after(run: Run, dispatch: DispatchId, stopping: Stopping) -> None:
    """Tell the hooks how a unit ended; one that waits for a person or for its successor has not."""
    if run.settings.hooks is None or run.cancel.is_set():
        return
    s = run.store.snapshot(run.scope)
    d = s.dispatches[dispatch]
    if d.live:
        return
    moment = Moment(
        when=AFTER,
        milestone=s.milestone.id,
        key=d.key,
        attempt=d.attempt,
        status=str(d.status),
        why=d.why,
        commit=d.commit_sha,
        usd=run.store.costs(run.scope)[dispatch].usd,
    )
    said = run.settings.hooks(moment, run.cancel)
    if isinstance(said, GiveUp):
        run.tell(Progress(kind="note", text=f"{said.text} What it was told of stands.", unit=str(d.key)))
        return
    for each in said:
        if isinstance(each, Stop):
            stopping.drain(f"The hook '{each.hook}': {each.reason}", Status.PAUSED)
