"""Turn on one milestone under its lease: read, decide, act, record, until something ends it."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from walkaway.clock import Clock
from walkaway.core.answer import answer
from walkaway.core.budget import spent_usd
from walkaway.core.derive import Ask, Blocked, Decision, Expand, Finished, Resume, Settle, Spent, Start, Wait, derive
from walkaway.core.errors import Held, LeaseLost, StaleSnapshot, Superseded, Usage
from walkaway.core.events import QuestionRaised
from walkaway.core.fleet.pause import Pause, Stop
from walkaway.core.ids import PROJECT_SCOPE
from walkaway.core.model import DispatchStatus, Question, Snapshot
from walkaway.engine import dispatch, steps
from walkaway.engine.asking.answers import WHO
from walkaway.engine.fleet import recover
from walkaway.engine.fleet.stopping import Stopping
from walkaway.engine.hooks import around
from walkaway.engine.opening import draw_line
from walkaway.engine.reconcile import ready
from walkaway.engine.registers import settling
from walkaway.engine.result import Left, Progress, RunOptions, Status
from walkaway.engine.run import Run
from walkaway.units import UNITS

LONGEST_NAP_S = 0.5
SLACK_S = 1.0
"""How much later than the store's clock our own may end a wait: clock rates, and the time between two readings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One worker's way through one milestone."""

    run: Run
    options: RunOptions
    stopping: Stopping
    held: Callable[[], Left | None]
    """What a person said about this milestone since the run began."""
    package: tuple[int, int]
    """What the installed package was when the worker began."""
    clock: Clock
    """What waits are measured with."""

    def go(self) -> Left | None:
        """Work until the milestone is complete (None: look at the project anew) or something else ends it."""
        run = self.run
        reached = 0.0
        while True:
            run.store.guard()
            if stamp(run.settings.package) != self.package:
                return Left(status=Status.PAUSED, detail="walkaway was upgraded while it ran; start it again to go on.")
            s = run.store.snapshot(run.scope)
            s = replace(s, now=max(s.now, reached))  # what was waited for has passed, also for a clock that stands
            decision = derive(s, UNITS)
            if isinstance(decision, Finished):
                return self._finished(s)
            if isinstance(decision, Blocked) and self._answered(s, decision.question):
                continue
            if ended := self._bound(decision) or self._other(decision) or self._final(decision):
                return ended
            try:
                if isinstance(decision, Wait):
                    reached = self._sit_out(s, decision)
                else:
                    self._act(s, decision)
            except LeaseLost:
                raise
            except (StaleSnapshot, Held):
                continue
            except Superseded as error:
                run.tell(Progress(kind="note", text=str(error)))

    def _answered(self, s: Snapshot, question: Question) -> bool:
        """Whether what was written down before answers a question; what is no answer leaves it open."""
        words = self.run.answers.to(question)
        if words is None:
            return False
        try:
            self.run.project(self.run.commit(answer(s, question.id, words, WHO), expect=s.rev))
        except Usage as error:
            self.run.tell(Progress(kind="note", text=str(error)))
            return False
        except StaleSnapshot:
            self.run.step("somebody acted meanwhile; looking again")
        return True

    def _finished(self, s: Snapshot) -> Left | None:
        run = self.run
        run.project(s)
        s = draw_line(run)
        for kept in run.workspace.release(run.lease, s.milestone.head):
            run.step(f"kept {kept}: it holds files that are in no commit")
        if self.options.milestone is None and not self.options.step:
            return None
        if s.milestone.aside:
            return Left(status=Status.PAUSED, detail=f"{run.scope} is {s.milestone.aside}.")
        return Left(status=Status.COMPLETE, detail=f"{run.scope} is complete.")

    def _bound(self, decision: Decision) -> Left | None:
        """Return why no further unit may start in this run, if so."""
        if self.stopping.draining.is_set():
            return self.stopping.left()
        if held := self.held():
            return held
        tally, options = self.run.tally, self.options
        if options.step and tally.turns and isinstance(decision, Start | Resume):
            said = "One unit is done." if tally.units else "One unit was run; it is not done yet."
            return Left(status=Status.UNIT_DONE, detail=said)
        if options.units is not None and tally.units >= options.units:
            return Left(status=Status.LIMIT, detail=f"{tally.units} units are done, as many as this run was to do.")
        if options.usd is not None and spent_usd(tally.usage) >= options.usd:
            return Left(status=Status.BUDGET, detail=f"This run has spent its {options.usd:.2f} USD.")
        return None

    def _other(self, decision: Decision) -> Left | None:
        """Return that something else comes first than what the person named, if it does."""
        only = self.options.only
        if not only or not isinstance(decision, Start | Resume | Wait | Spent) or self.run.tally.turns:
            return None
        key = decision.dispatch.key if isinstance(decision, Resume) else decision.key
        return None if key.kind in only else Left(status=Status.USAGE, detail=f"Not now: {key} comes first.")

    def _final(self, decision: Decision) -> Left | None:
        """Return how a decision ends the run, if it does."""
        match decision:
            case Blocked(question=question):
                self.run.tell(Progress(kind="question", text=question.text, unit=question.unit))
                status = Status.STUCK if question.reason == "stuck" else Status.BLOCKED
                return Left(status=status, detail=question.text, last=False)
            case Spent(key=key):
                return Left(
                    status=Status.BUDGET, detail=f"The budget of {self.run.scope} is spent; {key} was not started."
                )
            case Wait(key=key, why=why) if not self.options.wait or (self.options.step and self.run.tally.turns):
                return Left(status=Status.WAITING, detail=f"{key} waits for its provider. {why}")
            case _:
                return None

    def _act(self, s: Snapshot, decision: Decision) -> None:
        """Do what a decision says; those that end the run never come here."""
        run = self.run
        match decision:
            case Start() as start:
                if ready(run, s, start.key) and (words := around.before(run, s, start)) is not None:
                    around.after(run, dispatch.begin(run, s, start, words), self.stopping)
            case Resume(dispatch=live):
                if live.status is not DispatchStatus.REPORTED or live.fencing_token != run.lease.fencing_token:
                    raise LeaseLost(f"{s.scope} was taken over: {live.id} is {live.worker_id}'s.")
                dispatch.resume(run, s, live)
                around.after(run, live.id, self.stopping)
            case Expand(slice=listed):
                steps.expand(run, s, listed)
            case Settle(note=note):
                settling.settle(run, s, note)
            case Ask(question=question):
                run.project(run.commit([QuestionRaised(question=self._told(s, question))], expect=s.rev))

    def _told(self, s: Snapshot, question: Question) -> Question:
        """Add to a question what only this host knows: the end of the transcript of a unit that kills its worker."""
        tail = recover.tail_of_last(self.run.settings.state_dir, s, question)
        return replace(question, text=f"{question.text}\n\n{tail}") if tail else question

    def _sit_out(self, s: Snapshot, wait: Wait) -> float:
        """Wait until the deadline or a word to stop, and return what time of the store's has been reached at least.

        A clock that is set back makes it no longer: what is left at first, by the milestone's clock, is measured here.
        Raises `Cancelled` when the lease is lost meanwhile.
        """
        run = self.run
        left = wait.until - s.now
        end = self.clock.monotonic() + left + SLACK_S
        run.tell(Progress(kind="wait", text=wait.why, unit=str(wait.key), seconds=left))
        run.beat.doing("")
        while (now := run.store.now()) < wait.until and not self.stopping.draining.is_set() and not self.held():
            if self.clock.monotonic() >= end:
                return wait.until
            self.stopping.draining.wait(timeout=min(wait.until - now, LONGEST_NAP_S))
            run.gate()
        return s.now


def words(hold: Pause | Stop) -> Left:
    """Return how a run ends that a person paused or stopped; one milestone alone is left for the next."""
    status = Status.CANCELLED if isinstance(hold, Stop) else Status.PAUSED
    return Left(status=status, detail=hold.sentence, last=hold.id == PROJECT_SCOPE)


def stamp(package: str) -> tuple[int, int]:
    """Return what changes when the installed package is replaced: modules of two versions must not be mixed."""
    try:
        found = os.stat(package)
    except FileNotFoundError:
        return 0, 0  # it is being replaced just now
    return found.st_mtime_ns, found.st_size
