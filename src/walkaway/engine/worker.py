"""Take a milestone, keep its lease, turn until finished or told to stop."""

import os
import secrets
import threading

from walkaway import proc
from walkaway.clock import Clock, SystemClock
from walkaway.core.budget import spent_usd
from walkaway.core.derive import Ask, Blocked, Decision, Finished, Resume, Spent, Start, Wait, derive
from walkaway.core.errors import BudgetSpent, Cancelled, LeaseLost, StaleSnapshot, Superseded, Usage
from walkaway.core.events import QuestionRaised
from walkaway.core.ids import MilestoneId, Scope, WorkerId
from walkaway.core.model import Lease, Question, Snapshot
from walkaway.core.schedule import eligible
from walkaway.engine import dispatch
from walkaway.engine.heartbeat import Heartbeat
from walkaway.engine.opening import draw_line, open_milestone
from walkaway.engine.ports import Agent, Verifier, Workspace
from walkaway.engine.result import Ended, Progress, RunOptions, Status, Tell
from walkaway.engine.run import Run, Tally, WorkerSettings
from walkaway.store import Store
from walkaway.units import UNITS

__all__ = ["Worker", "WorkerSettings"]

LONGEST_NAP_S = 0.5


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
        self._cancelled = threading.Event()
        self._draining = threading.Event()
        self._halt = threading.Event()
        self._why = ""
        self._end_as = Status.CANCELLED
        self._tally = Tally()
        self._package = _stamp(settings.package)
        identity = proc.me()
        self.id = WorkerId(f"{identity.host}-{identity.pid}-{secrets.token_hex(3)}")

    def drain(self, why: str) -> None:
        """Finish the running unit, then stop; from any thread, but not inside a signal handler: it takes a lock."""
        self._why = self._why or why
        self._draining.set()

    def cancel(self, why: str) -> None:
        """End the running unit now, settle, and stop; from any thread, like `drain`."""
        self.drain(why)
        self._cancelled.set()
        self._halt_now()

    def run(self, options: RunOptions) -> Ended:
        """Work until everything is complete, something blocks, or a bound of ``options`` is reached.

        Call it once, from the main thread. Raises `Usage` for options that cannot be, `GitFailed` where the
        repository cannot be used, `StoreUnavailable` and `NewerSchema` as the store does; the lease and the worker
        are given back in any case. ``tell`` is also called from the heartbeat's thread.
        """
        begun = self._clock.monotonic()
        self._store.register(self.id, proc.me())
        timer = self._time_limit(options)
        try:
            status, detail = self._work(options)
        finally:
            if timer:
                timer.cancel()
            self._agent.close()
            self._store.end_worker(self.id)
        return Ended(
            status=status,
            detail=detail,
            units=self._tally.units,
            commits=tuple(self._tally.commits),
            usage=self._tally.usage,
            duration_s=self._clock.monotonic() - begun,
        )

    def _time_limit(self, options: RunOptions) -> threading.Timer | None:
        if options.seconds is None:
            return None

        def out_of_time() -> None:
            if not self._draining.is_set():
                self._end_as = Status.TIME_LIMIT
            self.cancel(f"The time limit of {options.seconds:.0f} s is over.")

        timer = threading.Timer(options.seconds, out_of_time)
        timer.daemon = True
        timer.start()
        return timer

    def _work(self, options: RunOptions) -> tuple[Status, str]:
        while True:
            overview = self._store.overview()
            rows = [r for r in overview.milestones if options.milestone in (None, r.id)]
            if not rows:
                wanted = options.milestone
                raise Usage(
                    f"There is no milestone {wanted}." if wanted
                    else "There is nothing to do yet: hand in a specification with walkaway new --spec FILE."
                )  # fmt: skip
            todo = eligible(overview, options.milestone)
            left = [r.id for r in rows if r.holder and r.id not in todo]
            try:
                for milestone in left:  # whoever completed it died before everything was cleared away
                    self._take(milestone, options)
                if not todo:
                    return Status.COMPLETE, "Everything is complete."
                ended = self._take(todo[0], options)
            except LeaseLost as error:
                self._tell(Progress(kind="note", text=str(error)))
                continue
            if ended is not None:
                return ended

    def _take(self, milestone: MilestoneId, options: RunOptions) -> tuple[Status, str] | None:
        """Work on one milestone under its lease; None when the project is to be looked at anew."""
        if self._draining.is_set():
            return self._end_as, self._why
        asked_at = self._clock.monotonic()
        lease = self._store.acquire(Scope(milestone), self.id, self._settings.ttl_s)
        if lease is None:
            return self._held(milestone)
        self._halt = threading.Event()
        if self._cancelled.is_set():
            self._halt.set()
        try:
            with Heartbeat(
                self._store, lease, ttl_s=self._settings.ttl_s, clock=self._clock, since=asked_at, on_lost=self._lost
            ) as beat:
                return self._under(lease, beat, options)
        finally:
            self._store.release(lease)  # after the last beat: a released lease cannot be renewed

    def _under(self, lease: Lease, beat: Heartbeat, options: RunOptions) -> tuple[Status, str] | None:
        run = Run(
            store=self._store,
            agent=self._agent,
            workspace=self._workspace,
            verifier=self._verifier,
            settings=self._settings,
            lease=lease,
            beat=beat,
            cancel=self._halt,
            tally=self._tally,
            tell=self._tell,
            usd=options.usd,
        )
        try:
            self._tell(Progress(kind="milestone", text=lease.scope))
            open_milestone(run, options.target)
            ended = self._turn(run, options)
            draw_line(run, self._store.snapshot(run.scope))
        except Cancelled as error:
            if beat.lost:
                raise LeaseLost(str(error)) from error
            return self._end_as, self._why or str(error)
        except BudgetSpent as error:
            return Status.BUDGET, str(error)
        return ended

    def _halt_now(self) -> None:
        self._halt.set()
        self._agent.cancel()

    def _lost(self, why: str) -> None:
        self._halt_now()
        self._tell(Progress(kind="note", text=why))

    def _held(self, milestone: MilestoneId) -> tuple[Status, str] | None:
        """Name who holds a milestone; None if it was given back meanwhile."""
        holder = self._store.holder(Scope(milestone))
        if holder is None:
            return None
        row = next((w for w in self._store.overview().workers if w.id == holder), None)
        where = f"worker {row.id} on {row.host}, pid {row.pid}" if row else f"worker {holder}"
        stop = f"; stop it with: kill {row.pid}" if row and row.host == proc.me().host else ""
        return Status.BLOCKED, f"{milestone} is being worked on by {where}{stop}."

    def _turn(self, run: Run, options: RunOptions) -> tuple[Status, str] | None:
        while True:
            self._store.guard()
            if _stamp(self._settings.package) != self._package:
                return Status.PAUSED, "walkaway was upgraded while it ran; start it again to go on."
            s = self._store.snapshot(run.scope)
            decision = derive(s, UNITS)
            if isinstance(decision, Finished):
                run.project(s)
                draw_line(run, s)
                for kept in self._workspace.release(run.lease, s.milestone.head):
                    run.step(f"kept {kept}: it holds files that are in no commit")
                more = options.milestone is None and not options.step
                return None if more else (Status.COMPLETE, f"{run.scope} is complete.")
            if ended := self._bound(options, decision) or self._final(run, options, decision):
                return ended
            try:
                self._act(run, s, decision)
            except LeaseLost:
                raise
            except StaleSnapshot:
                continue
            except Superseded as error:
                run.tell(Progress(kind="note", text=str(error)))

    def _final(self, run: Run, options: RunOptions, decision: Decision) -> tuple[Status, str] | None:
        """Return how a decision ends the run, if it does."""
        match decision:
            case Blocked(question=question):
                return self._blocked(question)
            case Spent(key=key):
                return Status.BUDGET, f"The budget of {run.scope} is spent; {key} was not started."
            case Wait(key=key, why=why) if not options.wait or (options.step and self._tally.turns):
                return Status.WAITING, f"{key} waits for its provider. {why}"
            case _:
                return None

    def _act(self, run: Run, s: Snapshot, decision: Decision) -> None:
        """Do what a decision says; those that end the run never come here."""
        match decision:
            case Start() as start:
                dispatch.begin(run, s, start)
            case Resume(dispatch=reported):
                dispatch.resume(run, s, reported)
            case Ask(question=question):
                run.project(run.commit([QuestionRaised(question=question)], expect=s.rev))
            case Wait() as wait:
                self._sit_out(run, wait)

    def _bound(self, options: RunOptions, decision: Decision) -> tuple[Status, str] | None:
        """Return why no further unit may start in this run, if so."""
        if self._draining.is_set():
            return self._end_as, self._why
        if options.step and self._tally.turns and isinstance(decision, Start | Resume):
            return (
                Status.UNIT_DONE,
                "One unit is done." if self._tally.units else "One unit was run; it is not done yet.",
            )
        if options.units is not None and self._tally.units >= options.units:
            return Status.LIMIT, f"{self._tally.units} units are done, as many as this run was to do."
        if options.usd is not None and spent_usd(self._tally.usage) >= options.usd:
            return Status.BUDGET, f"This run has spent its {options.usd:.2f} USD."
        return None

    def _blocked(self, question: Question) -> tuple[Status, str]:
        self._tell(Progress(kind="question", text=question.text, unit=question.unit))
        status = Status.STUCK if question.reason == "stuck" else Status.BLOCKED
        return status, question.text

    def _sit_out(self, run: Run, wait: Wait) -> None:
        """Wait until the deadline or a word to stop; raises `Cancelled` when the lease is lost meanwhile."""
        seconds = wait.until - self._store.now()
        run.tell(Progress(kind="wait", text=wait.why, unit=str(wait.key), seconds=seconds))
        run.beat.doing("")
        while (left := wait.until - self._store.now()) > 0 and not self._draining.is_set():
            self._draining.wait(timeout=min(left, LONGEST_NAP_S))
            run.gate()


def _stamp(package: str) -> tuple[int, int]:
    """Return what changes when the installed package is replaced: modules of two versions must not be mixed."""
    try:
        found = os.stat(package)
    except FileNotFoundError:
        return 0, 0  # it is being replaced just now
    return found.st_mtime_ns, found.st_size
