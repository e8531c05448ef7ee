"""The person of a storm: hands in work, answers questions, pauses, resumes, stops, commits; by commands alone.

A command is started and not waited for: it may be waiting for a worker that is stopped.
"""

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from walkaway import proc
from walkaway.chaos.crew import Crew
from walkaway.chaos.plan import Plan
from walkaway.chaos.stage import PERSON, Stage
from walkaway.core.fleet.overview import Overview
from walkaway.core.ids import PROJECT_SCOPE
from walkaway.core.model import MilestoneStatus, Question

THINKS_S = 1.0
"""How long a person takes to answer."""
LOCK_S = 5.0
"""How old a lock of git's is before a person takes it for left behind."""
THEIRS = "Not walkaway's.\n"
"""What is in the files that somebody else commits."""


@dataclass(slots=True)
class People:
    """What people said and did, and what they still wait for. ``plan`` is all that may be handed in."""

    stage: Stage
    plan: Plan
    ahead: int
    """How many milestones are to be unfinished at any time, while more may be handed in."""
    foreign: dict[str, str] = field(default_factory=dict)
    """What somebody else put on the target, by file: the commit."""
    unlocked: list[str] = field(default_factory=list)
    """Locks that a killed git left behind and a person removed."""
    _asked: dict[str, float] = field(default_factory=dict)
    _waiting: list[tuple[str, proc.Background]] = field(default_factory=list)
    _uncommitted: list[str] = field(default_factory=list)
    _locks: dict[tuple[str, int], float] = field(default_factory=dict)

    def say(self, *words: str) -> None:
        """Give a command."""
        begun = self.stage.start(*words, log="said")
        self._waiting.append((words[0], begun))

    def tend(self, overview: Overview, questions: Iterable[Question], *, more: bool) -> None:
        """Answer what was asked a while ago; with ``more``, hand in so much that work does not run out."""
        self._waiting = [(word, begun) for word, begun in self._waiting if begun.poll() is None]
        for question in questions:
            self._answer(question)
        todo = sum(1 for row in overview.milestones if row.status is not MilestoneStatus.COMPLETE)
        names = self.plan.names()
        if more and todo < self.ahead and len(overview.milestones) < len(names) and not self._is_saying("new"):
            spec = self.stage.specification(names[len(overview.milestones)])
            self.say("new", "--spec", str(spec))
        self._unlock()
        self._uncommitted = [name for name in self._uncommitted if not self._commit(name)]

    def resume(self, crew: Crew, paused: Iterable[str]) -> None:
        """Start a worker that resumes each of what is paused, unless one is at it."""
        for restriction in paused:
            chosen = () if restriction == PROJECT_SCOPE else ("--milestone", restriction)
            words = ("resume", "--json", *chosen)
            if not crew.runs(*words):
                crew.also(*words)

    def commit(self, name: str) -> None:
        """Commit a file of one's own to the target, as anybody may; again later where git is busy."""
        (self.stage.project / name).write_text(THEIRS, encoding="utf-8")
        self._uncommitted.append(name)

    @property
    def busy(self) -> bool:
        """Whether a command has not ended."""
        return bool(self._uncommitted) or any(begun.poll() is None for _, begun in self._waiting)

    def _is_saying(self, word: str) -> bool:
        return any(said == word and begun.poll() is None for said, begun in self._waiting)

    def _answer(self, question: Question) -> None:
        now = time.monotonic()
        if now < self._asked.setdefault(question.id, now + THINKS_S):
            return
        self._asked[question.id] = now + 5 * THINKS_S  # if it is still open then, the answer did not arrive
        words = "retry" if "retry" in question.options else question.options[0]
        self.say("answer", question.id, words)

    def _commit(self, name: str) -> bool:
        commit = (*PERSON, "commit", "--quiet", "--message", f"Somebody's {name}", "--", name)
        if not (self._git("add", "--", name) and self._git(*commit)):
            return False
        self.foreign[name] = self.stage.git("log", "-1", "--format=%H", "main", "--", name).strip()
        return True

    def _unlock(self) -> None:
        """Remove, as git asks for when it refuses, a lock whose holder is gone; those of fences are walkaway's own."""
        now = time.monotonic()
        top = self.stage.project / ".git"
        lying = [*top.glob("*.lock"), *(top / "refs" / "walkaway").rglob("*.lock"), top / "refs/heads/main.lock"]
        found: dict[tuple[str, int], float] = {}
        for path in lying:
            with suppress(FileNotFoundError):
                which = (path.relative_to(top).as_posix(), path.stat().st_ino)
                found[which] = self._locks.get(which, now)
                if now - found[which] > LOCK_S:
                    path.unlink()
                    self.unlocked.append(which[0])
        self._locks = found

    def _git(self, *words: str) -> bool:
        return proc.run(["git", *words], self.stage.project, self.stage.environment(), 30.0).exit_code == 0
