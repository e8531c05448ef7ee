"""Take a milestone, keep its lease, turn until finished or told to stop."""

import os
import secrets
import threading

import walkaway
from walkaway import proc
from walkaway.clock import Clock, SystemClock
from walkaway.core.budget import spent_usd
from walkaway.core.derive import Ask, Blocked, Finished, Resume, Spent, Start, Wait, derive
from walkaway.core.errors import BudgetSpent, Cancelled, LeaseLost, StaleSnapshot, Superseded, Usage
from walkaway.core.events import QuestionRaised
from walkaway.core.ids import MilestoneId, Scope, WorkerId
from walkaway.core.model import Question, WorkerRow
from walkaway.core.schedule import eligible
from walkaway.engine import dispatch
from walkaway.engine.heartbeat import Heartbeat
from walkaway.engine.opening import open_milestone
from walkaway.engine.ports import Agent, Verifier, Workspace
from walkaway.engine.result import Ended, Progress, RunOptions, Status, Tell
from walkaway.engine.run import Run, Tally, WorkerSettings
from walkaway.store import Store
from walkaway.units import UNITS

__all__ = ["Worker", "WorkerSettings"]

LONGEST_NAP_S = 1.0


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
        self._why = ""
        self._end_as = Status.CANCELLED
        self._tally = Tally()
        identity = proc.me()
        self.id = WorkerId(f"{identity.host}-{identity.pid}-{secrets.token_hex(3)}")

    def drain(self, why: str) -> None:
        """Finish the running unit, then stop; from any thread or a signal handler."""
        self._why = self._why or why
        self._draining.set()

    def cancel(self, why: str) -> None:
        """End the running unit now, settle, and stop; from any thread or a signal handler."""
        self.drain(why)
        self._cancelled.set()
        self._agent.cancel()

    def run(self, options: RunOptions) -> Ended:
        """Work until everything is complete, something blocks, or a bound of ``options`` is reached.

        Call it once, from the main thread. Raises `Usage` for options that cannot be, `StoreUnavailable` and
        `NewerSchema` as the store does; the lease and the worker are given back in any case.
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
            if not todo:
                return Status.COMPLETE, "Everything is complete."
            ended = self._take(todo[0], options, overview.workers)
            if ended is not None:
                return ended

    def _take(
        self, milestone: MilestoneId, options: RunOptions, workers: tuple[WorkerRow, ...]
    ) -> tuple[Status, str] | None:
        """Work on one milestone under its lease; None when it is complete and the next may come."""
        lease = self._store.acquire(Scope(milestone), self.id, self._settings.ttl_s)
        if lease is None:
            return Status.BLOCKED, self._held(milestone, workers)
        with Heartbeat(
            self._store, lease, ttl_s=self._settings.ttl_s, clock=self._clock, on_lost=self._lost
        ) as beat:
            run = Run(
                store=self._store,
                agent=self._agent,
                workspace=self._workspace,
                verifier=self._verifier,
                settings=self._settings,
                lease=lease,
                beat=beat,
                cancel=self._cancelled,
                tally=self._tally,
                tell=self._tell,
                usd=options.usd,
            )
            try:
                self._tell(Progress(kind="milestone", text=milestone))
                open_milestone(run, options.target)
                return self._turn(run, options)
            except Cancelled as error:
                if beat.lost:
                    raise LeaseLost(str(error)) from error
                return self._end_as, self._why or str(error)
            except BudgetSpent as error:
                return Status.BUDGET, str(error)
            finally:
                self._store.release(lease)

    def _lost(self, why: str) -> None:
        self._tell(Progress(kind="note", text=why))
        self._agent.cancel()

    def _held(self, milestone: MilestoneId, workers: tuple[WorkerRow, ...]) -> str:
        holder = self._store.holder(Scope(milestone))
        row = next((w for w in workers if w.id == holder), None)
        where = f"worker {row.id} on {row.host}, pid {row.pid}" if row else f"worker {holder}"
        stop = f"; stop it with: kill {row.pid}" if row and row.host == proc.me().host else ""
        return f"{milestone} is being worked on by {where}{stop}."

    def _turn(self, run: Run, options: RunOptions) -> tuple[Status, str] | None:
        package = _package_stamp()
        while True:
            self._store.guard()
            if _package_stamp() != package:
                return Status.PAUSED, "walkaway was upgraded while it ran; start it again to go on."
            s = self._store.snapshot(run.scope)
            decision = derive(s, UNITS)
            if isinstance(decision, Finished):
                for kept in self._workspace.release(run.lease, s.milestone.head):
                    run.step(f"kept {kept}: it holds files that are in no commit")
                more = options.milestone is None and not options.step
                return None if more else (Status.COMPLETE, f"{run.scope} is complete.")
            if ended := self._bound(run, options):
                return ended
            try:
                match decision:
                    case Start() as start:
                        dispatch.begin(run, s, start)
                    case Resume(dispatch=reported):
                        dispatch.resume(run, s, reported)
                    case Ask(question=question):
                        run.project(run.commit([QuestionRaised(question=question)], expect=s.rev))
                    case Blocked(question=question):
                        return self._blocked(question)
                    case Spent(key=key):
                        return Status.BUDGET, f"The budget of {run.scope} is spent; {key} was not started."
                    case Wait() as wait:
                        if not options.wait:
                            return Status.WAITING, f"{wait.key} waits for its provider. {wait.why}"
                        self._sit_out(wait)
            except LeaseLost:
                raise
            except StaleSnapshot:
                continue
            except Superseded as error:
                run.tell(Progress(kind="note", text=str(error)))

    def _bound(self, run: Run, options: RunOptions) -> tuple[Status, str] | None:
        """Return why no further unit may start in this run, if so."""
        if self._draining.is_set():
            return self._end_as, self._why
        if options.step and self._tally.units:
            return Status.UNIT_DONE, "One unit is done."
        if options.units is not None and self._tally.units >= options.units:
            return Status.LIMIT, f"{self._tally.units} units are done, as many as this run was to do."
        if options.usd is not None and spent_usd(self._tally.usage) >= options.usd:
            return Status.BUDGET, f"This run has spent its {options.usd:.2f} USD."
        return None

    def _blocked(self, question: Question) -> tuple[Status, str]:
        self._tell(Progress(kind="question", text=question.text, unit=question.unit))
        status = Status.STUCK if question.reason == "stuck" else Status.BLOCKED
        return status, question.text

    def _sit_out(self, wait: Wait) -> None:
        """Wait until the deadline, a change, or a word to stop."""
        now = self._store.now()
        self._tell(Progress(kind="wait", text=wait.why, unit=str(wait.key), seconds=wait.until - now))
        while now < wait.until and not self._draining.is_set():
            self._draining.wait(timeout=min(wait.until - now, LONGEST_NAP_S))
            now = self._store.now()


def _package_stamp() -> tuple[int, int]:
    """Return what changes when the installed package is replaced: modules of two versions must not be mixed."""
    found = os.stat(walkaway.__file__)
    return found.st_mtime_ns, found.st_size
