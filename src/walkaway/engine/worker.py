"""One worker: registered before any lease, it takes one milestone after the other until something ends the run."""

import secrets
import threading
from collections.abc import Sequence

from walkaway import proc
from walkaway.clock import Clock, SystemClock
from walkaway.core.errors import BudgetSpent, Cancelled, IllegalTransition, LeaseLost, Usage
from walkaway.core.fleet.overview import Overview, WorkerRow
from walkaway.core.fleet.pause import Pause
from walkaway.core.ids import PROJECT_SCOPE, MilestoneId, Scope, WorkerId
from walkaway.core.model import DispatchStatus, Lease, Snapshot
from walkaway.core.schedule import eligible
from walkaway.engine.asking.answers import Answers
from walkaway.engine.fleet import recover
from walkaway.engine.fleet.halt import Halt
from walkaway.engine.fleet.listener import Listener
from walkaway.engine.fleet.stopping import Stopping
from walkaway.engine.heartbeat import Heartbeat
from walkaway.engine.opening import draw_line, open_milestone
from walkaway.engine.ports import Agent, Verifier, Workspace
from walkaway.engine.result import Ended, Left, Progress, RunOptions, Status, Tell, nothing_to_do
from walkaway.engine.run import Run, Tally, WorkerSettings
from walkaway.engine.turn import Turn, stamp, words
from walkaway.store import Store

__all__ = ["Worker", "WorkerSettings"]

_WORST = (Status.STUCK, Status.BLOCKED, Status.PAUSED, Status.CANCELLED)
"""Of several milestones left behind, which one's reason is the run's: the first of these."""


class Worker:
    """One worker: a row in the register, at most one lease at a time, no state that a crash could lose."""

    def __init__(
        self,
        *,
        store: Store,
        agent: Agent,
        workspace: Workspace,
        verifier: Verifier,
        tell: Tell,
        settings: WorkerSettings,
        clock: Clock | None = None,
    ) -> None:
        """Use these ports; nothing happens before `run`."""
        self._store = store
        self._agent = agent
        self._workspace = workspace
        self._verifier = verifier
        self._tell = tell
        self._settings = settings
        self._clock = clock or SystemClock()
        self._stopping = Stopping()
        self._halt = Halt(agent.cancel)
        self._tally = Tally()
        self._begun = 0.0
        self._since = 0
        self._resume: Scope | None = None
        self._scope = PROJECT_SCOPE
        self._options = RunOptions()
        self._answers = Answers({})
        self._said: list[str] = []
        self._package = stamp(settings.package)
        me = proc.me()
        self.id = WorkerId(f"{me.host}-{me.pid}-{secrets.token_hex(3)}")
        self._listener = Listener(store, self.id, self, lambda text: self._tell(Progress(kind="note", text=text)))

    def drain(self, why: str) -> None:
        """Finish the running unit, then stop; from any thread, but not inside a signal handler: it takes a lock."""
        self._stopping.drain(why)

    def cancel(self, why: str) -> None:
        """End the running unit now, settle, and stop; from any thread, like `drain`."""
        self._stopping.cancel(why)
        self._halt.end()

    def run(self, options: RunOptions) -> Ended:
        """Work until everything is complete, something blocks, or a bound of ``options`` is reached.

        Call it once, from the main thread. Raises `Usage` for options that cannot be, `GitFailed` where the
        repository cannot be used, `StoreUnavailable` and `NewerSchema` as the store does; the lease and the worker
        are given back in any case. ``tell`` is also called from the threads of the heartbeat and the listener.
        """
        self._begun = self._clock.monotonic()
        self._options, self._resume = options, options.resume
        self._answers = Answers(options.answers)
        self._since = self._store.register(self.id, proc.me(), since=options.since)
        timer = self._time_limit(options)
        try:
            with self._listener:
                ended = self._work(options)
            if not options.member and (unused := self._answers.unused()):
                self._tell(Progress(kind="note", text=f"Nothing asked for these answers: {', '.join(unused)}."))
        finally:
            if timer:
                timer.cancel()
            self._agent.close()
            self._listener.settle("The worker ended.")
            self._store.end_worker(self.id)
        return Ended(
            status=ended.status,
            detail=ended.detail,
            units=self._tally.units,
            commits=tuple(self._tally.commits),
            usage=self._tally.usage,
            duration_s=self._clock.monotonic() - self._begun,
        )

    def _time_limit(self, options: RunOptions) -> threading.Timer | None:
        if options.seconds is None:
            return None

        def out_of_time() -> None:
            self._stopping.cancel(f"The time limit of {options.seconds:.0f} s is over.", Status.TIME_LIMIT)
            self._halt.end()

        timer = threading.Timer(options.seconds, out_of_time)
        timer.daemon = True
        timer.start()
        return timer

    # ---- from milestone to milestone --------------------------------------------------------------------------------

    def _work(self, options: RunOptions) -> Left:
        behind: dict[MilestoneId, Left] = {}
        while True:
            overview = self._store.overview()
            self._bury_the_dead(overview)
            todo = self._todo(overview, options)
            if held := self._held_by_person(PROJECT_SCOPE):
                return held
            following = next((m for m in todo if m not in behind), None)
            try:
                for milestone in _unfinished(overview, todo, options.milestone):
                    self._take(milestone, overview)
                if ended := nothing_to_do(overview, options.milestone):
                    return self._complete(ended)
                if following is None:
                    return self._closing(list(behind.values()))
                left = self._take(following, overview)
            except LeaseLost as error:
                self._tell(Progress(kind="note", text=str(error)))
                continue
            if left is None:
                behind = {m: why for m, why in behind.items() if not why.held}
            elif left.last:
                return left
            else:
                behind[following] = left

    def _todo(self, overview: Overview, options: RunOptions) -> tuple[MilestoneId, ...]:
        wanted = options.milestone
        if any(row.id == wanted and row.aside == "discarded" for row in overview.milestones):
            raise Usage(f"{wanted} was discarded; hand it in anew with walkaway new.")
        if not any(wanted in (None, row.id) for row in overview.milestones):
            raise Usage(
                f"There is no milestone {wanted}."
                if wanted
                else "There is nothing to do yet: hand in a specification with walkaway new --spec FILE."
            )
        return eligible(overview, wanted)

    def _closing(self, behind: Sequence[Left]) -> Left:
        """Return how a run ends that had to leave every milestone: by what a person can change first."""
        first = min(behind, key=lambda left: (left.held, _WORST.index(left.status)))
        if first.held and self._options.member:
            return Left(status=Status.LIMIT, detail="Every milestone that is left has a worker.")
        return first

    def _complete(self, ended: Left) -> Left:
        """Nothing is left to do; a pause that was to be resumed has nothing left to hold."""
        if self._resume is not None and ended.status is Status.COMPLETE:
            try:
                self._store.controls.drop(self._resume, "everything is complete", self.id)
            except IllegalTransition:
                self._tell(Progress(kind="note", text="Somebody else resumed or stopped it meanwhile."))
        return ended

    def _bury_the_dead(self, overview: Overview) -> None:
        """Settle provably dead workers that hold no milestone; of those that do, whoever takes it settles all."""
        holders = {row.holder for row in overview.milestones}
        for row in overview.workers:
            if row.id not in (*holders, self.id) and recover.is_dead(row):
                found = self._store.recover(row.id, self.id)
                if found.changed:
                    self._tell(Progress(kind="recovered", text=recover.line(row, None)))

    def _take(self, milestone: MilestoneId, overview: Overview) -> Left | None:
        """Work on one milestone under its lease; None when the project is to be looked at anew."""
        if self._stopping.draining.is_set():
            return self._stopping.left()
        scope = Scope(milestone)
        if held := self._held_by_person(scope):
            return held
        asked_at = self._clock.monotonic()
        lease = self._store.acquire(scope, self.id, self._settings.ttl_s, resume=self._resume)
        if lease is None:
            return self._held_by_worker(milestone)
        self._resume = None
        if dead := recover.dead_holder(overview, milestone):
            unit = recover.unit_left_by(dead, self._store.snapshot(scope))
            self._tell(Progress(kind="recovered", text=recover.line(dead, unit)))
        self._halt, self._scope = Halt(self._agent.cancel), scope
        if self._stopping.cancelled.is_set():
            self._halt.end()
        try:
            with Heartbeat(
                self._store, lease, ttl_s=self._settings.ttl_s, clock=self._clock, since=asked_at, on_lost=self._lost
            ) as beat:
                return self._under(lease, beat)
        finally:
            self._store.release(lease)  # after the last beat: a released lease cannot be renewed
            self._scope = PROJECT_SCOPE
            self._listener.settle(f"{scope} was left.")

    def _under(self, lease: Lease, beat: Heartbeat) -> Left | None:
        run = Run(
            store=self._store,
            agent=self._agent,
            workspace=self._workspace,
            verifier=self._verifier,
            settings=self._settings,
            lease=lease,
            beat=beat,
            halt=self._halt,
            tally=self._tally,
            tell=self._tell,
            usd=self._options.usd,
            heard=self._hear,
            answers=self._answers,
        )
        turn = Turn(
            run=run,
            options=self._options,
            stopping=self._stopping,
            held=lambda: self._held_by_person(lease.scope),
            package=self._package,
            clock=self._clock,
        )
        if elsewhere := self._elsewhere(lease):
            return elsewhere
        try:
            self._tell(Progress(kind="milestone", text=lease.scope))
            open_milestone(run, self._options.target)
            left = turn.go()
            s = draw_line(run)
        except Cancelled as error:
            if beat.lost:
                raise LeaseLost(str(error)) from error
            left = self._held_by_person(lease.scope) or self._stopping.left(str(error))
            s = self._store.snapshot(run.scope)
        except BudgetSpent as error:
            return Left(status=Status.BUDGET, detail=str(error))
        self._note(s, left)
        return left

    def _elsewhere(self, lease: Lease) -> Left | None:
        """Return that the milestone's work is in the clone of another host, if it is not in this one."""
        s = self._store.snapshot(lease.scope)
        if lease.fencing_token == 1 or not s.dispatches or self._workspace.has(s.milestone.head):
            return None
        said = f"The work of {lease.scope} is in the clone of another host; a worker there goes on with it."
        return Left(status=Status.BLOCKED, detail=said, last=False, held=True)

    # ---- what holds a worker ----------------------------------------------------------------------------------------

    def _held_by_person(self, scope: Scope) -> Left | None:
        """Return what a person said that keeps this run from ``scope``; the pause to be resumed does not."""
        control = self._store.controls.read()
        hold = control.holds(scope, self._since)
        if hold is None or (isinstance(hold, Pause) and hold.id == self._resume):
            return None
        return words(hold)

    def _held_by_worker(self, milestone: MilestoneId) -> Left | None:
        """Name who holds a milestone; None if it was given back meanwhile."""
        holder = self._store.holder(Scope(milestone))
        if holder is None:
            return None
        row = next((w for w in self._store.overview().workers if w.id == holder), None)
        where = f"worker {row.id} on {row.host}, pid {row.pid}" if row else f"worker {holder}"
        stop = f"; stop it with: walkaway stop --milestone {milestone}, or kill {row.pid}" if row and _here(row) else ""
        said = f"{milestone} is being worked on by {where}{stop}."
        return Left(status=Status.BLOCKED, detail=said, last=False, held=True)

    def _note(self, s: Snapshot, left: Left | None) -> None:
        """Enter in the record of a pause where this worker was; a step leaves a record of its own."""
        if left is None or left.status not in {Status.PAUSED, Status.UNIT_DONE}:
            return
        control = self._store.controls.read()
        hold = control.holds(s.scope, self._since)
        last = next(reversed(list(s.dispatches.values())), None)
        options, tally = self._options, self._tally
        elapsed = self._clock.monotonic() - self._begun
        note = Pause(
            id=hold.id if isinstance(hold, Pause) else s.scope,
            step=options.step,
            who=self.id,
            reason="one unit at a time" if options.step else "",
            milestone=s.milestone.id,
            unit=str(last.key) if last else "",
            worktree=tally.worktree,
            target=s.milestone.target_branch,
            model=self._settings.model,
            units_left=None if options.units is None else max(options.units - tally.units, 0),
            usd_left=None if options.usd is None else max(options.usd - (tally.usage.usd or 0.0), 0.0),
            seconds_left=None if options.seconds is None else max(options.seconds - elapsed, 0.0),
            units=tally.units,
            usd=tally.usage.usd,
            elapsed_s=elapsed,
        )
        if isinstance(hold, Pause):
            self._store.controls.note(note, self.id)
        elif left.status is Status.UNIT_DONE:
            self._store.controls.pause(note)

    # ---- from other threads -----------------------------------------------------------------------------------------

    def wake(self, *, now: bool) -> str:
        """Look at what people paused or stopped; with ``now`` end the running unit for it."""
        held = self._held_by_person(self._scope)
        if held is None:
            return "Nothing that this worker does is paused or stopped."
        if held.last:
            self._store.stopping(self.id)
        if now:
            self._halt.end()
        return ""

    def cancel_unit(self, dispatch: str, why: str) -> str:
        """End the running unit if it is this dispatch, and say what came of it."""
        if not self._halt.cancel(dispatch, why):
            return f"{dispatch} is not with an agent now; it was not cancelled."
        self._halt.wait_settled(self._settings.ttl_s)
        ended = self._store.snapshot(self._scope).dispatches[dispatch].status
        if ended is DispatchStatus.CANCELED:
            return f"{dispatch} was cancelled; its unit is begun again."
        return f"{dispatch} is {ended}: the word came too late."

    def steer(self, text: str) -> str:
        """Say something to the agent before its next model call."""
        if not (dispatch := self._halt.running):
            return "No agent is at work now; nothing was said."
        self._said.append(text)
        return f"Said to the agent of {dispatch}."

    def _hear(self) -> Sequence[str]:
        said = tuple(self._said)
        del self._said[: len(said)]
        return said

    def _lost(self, why: str) -> None:
        self._halt.end()
        self._tell(Progress(kind="note", text=why))


def _unfinished(overview: Overview, todo: Sequence[MilestoneId], wanted: MilestoneId | None) -> list[MilestoneId]:
    """Return complete milestones that are still held: whoever completed them died before all was cleared away."""
    return [r.id for r in overview.milestones if wanted in (None, r.id) and r.holder and r.id not in todo]


def _here(row: WorkerRow) -> bool:
    return row.host == proc.me().host
