"""An agent, a repository and a project's checks in memory: each has passed the suite of its port (`port_suite`)."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from walkaway.core.brief import Asked, Brief, Desk, ModelCall, Outcome, SideTool, Told, Watch
from walkaway.core.errors import (
    Cancelled,
    Conflict,
    GitFailed,
    HookRefused,
    LimitReached,
    NotPublishable,
    StaleSnapshot,
    Usage,
)
from walkaway.core.ids import NO_SHA, DispatchId, MilestoneId, Sha
from walkaway.core.model import Checkout, Lease, Pin
from walkaway.testing.fake_scratch import Scratch

Files = Mapping[str, str]
PATIENCE_S = 30.0
"""How long a fake waits for what a test promised to do; reached only when the test fails."""
LEFT = "What a run left behind"


# ---- agent -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One conversation as a script wants it: what it costs, asks, writes and reports, or how it fails.

    ``asks`` are asked one after the other before it writes. ``reports`` are handed in one after the other until one is
    accepted; nothing is written or handed in while a gate waits. ``meanwhile`` runs in the middle, after the first
    model call. ``until_cancelled`` waits for `FakeAgent.cancel`.
    """

    reports: Sequence[Mapping[str, object]] = ()
    files: Files = field(default_factory=dict)
    calls: Sequence[ModelCall] = (ModelCall(model="fake", input_tokens=100, output_tokens=10, usd=0.01),)
    raises: BaseException | None = None
    meanwhile: Callable[[], None] | None = None
    until_cancelled: bool = False
    asks: Sequence[Asked] = ()
    saves: Sequence[tuple[str, Mapping[str, object]]] = ()
    """Calls of side tools, made in order before it reports."""


Script = Callable[[Brief], Turn]


def _side(desk: Desk, name: str) -> SideTool:
    return next(tool for tool in desk.tools if tool.name == name)


class FakeAgent:
    """Does what a script says."""

    def __init__(self, script: Script, write: Callable[[str, str, str], None]) -> None:
        """Take each turn from ``script``; ``write(directory, name, text)`` is its only tool."""
        self.script = script
        self.briefs: list[Brief] = []
        """Every brief it was given, the oldest first."""
        self.answers: list[str] = []
        """What the desk said of each report."""
        self.heard: list[str] = []
        """What people said to it."""
        self.talking = threading.Event()
        """Set while a conversation waits to be cancelled."""
        self.told: list[Told] = []
        """What it was told of what it asked."""
        self.cancels = 0
        self.closed = False
        self._write = write
        self._stop = threading.Event()

    def run(self, brief: Brief, cwd: str, desk: Desk, watch: Watch, transcript: str) -> Outcome:
        """Play one turn."""
        self.briefs.append(brief)
        self._stop.clear()
        turn = self.script(brief)
        self._note(transcript, {"unit": brief.unit, "attempt": brief.attempt})
        for call in turn.calls[:1]:
            watch.gate()
            watch.spent(call)
        watch.saw("text", f"Working on {brief.unit}.")
        if turn.meanwhile:
            turn.meanwhile()
        self.heard += watch.heard()
        for call in turn.calls[1:]:
            watch.gate()
            watch.spent(call)
        if turn.until_cancelled:
            self.talking.set()
            self._stop.wait(PATIENCE_S)
            self.talking.clear()
        if self._stop.is_set():
            raise Cancelled(f"{brief.unit} was cancelled.")
        watch.gate()
        for asked in turn.asks:
            self.told.append(watch.asks(asked))
        if not watch.pending():
            self.told += [_side(desk, name).call(json.dumps(given)) for name, given in turn.saves]
            self._work(turn, cwd)
            for report in turn.reports:
                if self._accepted(desk, json.dumps(report), transcript):
                    return Outcome(report=json.dumps(report), transcript=transcript, requests=len(turn.calls))
        raise LimitReached(f"{brief.unit} ended without an accepted report.")

    def _work(self, turn: Turn, cwd: str) -> None:
        for name, text in turn.files.items():
            self._write(cwd, name, text)
        if turn.raises:
            raise turn.raises

    def _accepted(self, desk: Desk, raw: str, transcript: str) -> bool:
        self._note(transcript, {"report": raw})
        self.answers.append(desk.submit(raw))
        return not self.answers[-1]

    def cancel(self) -> None:
        """End the turn that waits for it."""
        self.cancels += 1
        self._stop.set()

    def close(self) -> None:
        """Note that it was given back."""
        self.closed = True

    def _note(self, transcript: str, what: Mapping[str, object]) -> None:
        path = Path(transcript)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(what) + "\n")


# ---- workspace ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit: its files, its parent, its message, and the other parent of a merge."""

    sha: Sha
    parent: Sha
    files: Files
    message: str
    other: Sha = NO_SHA


class FakeWorkspace:
    """A repository in memory: commits, refs, directories of fences, and the user's checkout of one branch."""

    def __init__(self, files: Files) -> None:
        """Begin with one commit of ``files`` on ``main``, which the user has checked out."""
        self.commits: dict[Sha, Commit] = {}
        self.branches: dict[str, Sha] = {}
        self.refs: dict[str, Sha] = {}
        self.directories: dict[str, dict[str, str]] = {}
        self.checked_out: str | None = "main"
        self.edited: set[str] = set()
        """Files of the user's checkout with changes that are in no commit."""
        self.hook: Callable[[Files], str] = lambda _files: ""
        """What the commit hook says against a tree; "" lets it pass."""
        self.branches["main"] = self._commit(NO_SHA, files, "Begin")

    def files(self, path: str) -> Files:
        """Return what lies in a directory."""
        return self.directories[path]

    def write(self, path: str, name: str, text: str) -> None:
        """Write a file in a directory; where that is gone, nothing comes of it."""
        if path in self.directories:
            self.directories[path][name] = text

    def move(self, branch: str, files: Files) -> Sha:
        """Commit ``files`` on top of a branch, as somebody else would."""
        tip = self.branches[branch]
        self.branches[branch] = self._commit(tip, {**self.commits[tip].files, **files}, "Somebody else's work")
        return self.branches[branch]

    @property
    def workspace(self) -> "FakeWorkspace":
        """The port: here the repository itself."""
        return self

    def see(self, ref: str) -> "list[Commit]":
        """Return a ref's or a commit's own line, newest first; nothing where it does not exist."""
        branch = self.branches.get(ref.removeprefix("refs/heads/"), NO_SHA)
        return self.history(branch or self.refs.get(ref) or (Sha(ref) if ref in self.commits else NO_SHA))

    def kept(self, sha: Sha) -> bool:
        """Whether some ref reaches a commit."""
        tips = (*self.branches.values(), *self.refs.values())
        return any(c.sha == sha for tip in tips for c in self.history(tip))

    def edit(self, name: str, text: str) -> None:
        """Change a file in the user's checkout."""
        self.edited.add(name)

    def refuse(self, word: str) -> None:
        """Have the commit hook refuse trees with this word in a file."""
        self.hook = lambda files: f"no {word}, please" if any(word in text for text in files.values()) else ""

    def detach(self) -> None:
        """Leave the user's checkout on no branch."""
        self.checked_out = None

    def make_branch(self, name: str) -> None:
        """Make a branch at ``main``."""
        self.branches[name] = self.branches["main"]

    def drop_branch(self, name: str) -> None:
        """Delete a branch."""
        del self.branches[name]

    def history(self, sha: Sha) -> list[Commit]:
        """Return a commit and all before it, newest first."""
        found = []
        while sha:
            found.append(self.commits[sha])
            sha = found[-1].parent
        return found

    def pin(self, branch: str | None) -> Pin:
        """Return a branch and its commit."""
        name = branch or self.checked_out
        if name is None:
            raise Usage("HEAD is detached: name a branch with --target.")
        if name not in self.branches:
            raise Usage(f"There is no branch {name}.")
        return Pin(branch=name, sha=self.branches[name])

    def has(self, sha: Sha) -> bool:
        """Whether there is such a commit."""
        return sha in self.commits

    def prepare(self, lease: Lease, base: Sha, carry: Sha) -> Checkout:
        """Return this fence's directory with the files of ``carry``, else of ``base``."""
        path = self._directory(lease)
        self._keep(path)
        directory = self.directories.setdefault(path, {})
        for name in _own(directory):
            del directory[name]
        directory.update(self.commits[carry or base].files)
        return Checkout(path=path, branch=f"wip/{lease.scope}/f{lease.fencing_token}", base=base)

    def merged(self, base: Sha, onto: Sha) -> Sha:
        """Commit on a base what both hold, with markers in the files that both changed."""
        files, both = self._brought(base, onto)
        for name in both:
            one, two = (self.commits[side].files.get(name, "") for side in (base, onto))
            files[name] = f"<<<<<<< ours\n{one}=======\n{two}>>>>>>> theirs\n"
        return self._commit(base, files, "The work and its target")

    def marked(self, sha: Sha, files: tuple[str, ...]) -> tuple[str, ...]:
        """Return the files with markers."""
        return tuple(name for name in files if "<<<<<<< " in self.commits[sha].files.get(name, ""))

    def told(self, base: Sha, onto: Sha) -> str:
        """Return the messages of what is new."""
        return "\n".join(c.message for c in self.history(onto) if c.sha not in self._reached(base))

    def seal(self, checkout: Checkout, message: str, *, work: bool, onto: Sha = NO_SHA) -> Sha:
        """Commit the directory, or base's own files, on its base."""
        if checkout.path not in self.directories:
            raise GitFailed(f"{checkout.path} is no checkout any more.")
        files = _own(self.directories[checkout.path]) if work else self.commits[checkout.base].files
        if work and (refusal := self.hook(files)):
            raise HookRefused(f"The commit hook refused: {refusal}")
        return self._commit(checkout.base, files, message, onto)

    def salvage(self, lease: Lease, base: Sha) -> Sha:
        """Commit what a run left in this fence's directory."""
        files = _own(self.directories.get(self._directory(lease), {}))
        return self._commit(base, files, LEFT) if files and files != self.commits[base].files else NO_SHA

    def rescue(self, lease: Lease, dispatch: DispatchId, sha: Sha) -> None:
        """Keep a commit."""
        self.refs[f"refs/walkaway-rescue/{lease.scope}/{dispatch}"] = sha

    def line(self, milestone: MilestoneId) -> Sha:
        """Return where the milestone's line is."""
        return self.refs.get(f"refs/walkaway/{milestone}", NO_SHA)

    def advance_line(self, milestone: MilestoneId, sha: Sha, seen: Sha) -> None:
        """Point the milestone's line at a commit."""
        if self.line(milestone) not in {seen, sha}:
            raise StaleSnapshot(f"The line of {milestone} was moved.")
        self.refs[f"refs/walkaway/{milestone}"] = sha

    def clean_checkout(
        self, lease: Lease, sha: Sha, name: str, back: tuple[str, ...] = (), base: Sha = NO_SHA
    ) -> "Scratch":
        """Lay a commit's files out in a directory of their own."""
        kept = {n: text for n, text in self.commits[sha].files.items() if n not in back}
        old = {n: text for n, text in self.commits[base].files.items() if n in back} if back else {}
        return Scratch(self.directories, f"{self._directory(lease)}.{name}", {**kept, **old})

    def integrate(self, onto: Sha, head: Sha, message: str) -> Sha:
        """Merge by whole files and commit the result on ``onto``."""
        merged, both = self._brought(onto, head)
        if both:
            raise Conflict(f"The work and its target changed {', '.join(both)}.", files=both)
        return self._commit(onto, merged, message)

    def _brought(self, one: Sha, two: Sha) -> tuple[dict[str, str], tuple[str, ...]]:
        """Return the files of both, and the names of those that both changed, each in its own way."""
        ours, theirs, base = self.commits[one].files, self.commits[two].files, self._common(one, two)
        names = {*ours, *theirs, *base}
        mine = {n for n in names if ours.get(n) != base.get(n)}
        other = {n for n in names if theirs.get(n) != base.get(n)}
        both = sorted(n for n in mine & other if ours.get(n) != theirs.get(n))
        return {n: text for n in names if (text := (theirs if n in other else ours).get(n)) is not None}, tuple(both)

    def publish(self, branch: str, base: Sha, sha: Sha) -> None:
        """Move a branch by compare-and-swap."""
        tip = self.branches.get(branch, NO_SHA)
        if any(c.sha == sha for c in self.history(tip)):
            return
        if tip != base:
            raise StaleSnapshot(f"{branch} is at {tip} and not at {base}.")
        blocked = sorted(self.edited & set(self.changed(base, sha))) if branch == self.checked_out else []
        if blocked:
            raise NotPublishable(f"{', '.join(blocked)} would be overwritten.", files=tuple(blocked))
        self.branches[branch] = sha

    def read(self, sha: Sha, path: str, most: int) -> str | None:
        """Return a file of a commit."""
        if sha not in self.commits:
            raise GitFailed(f"commit {sha} is not here")
        text = self.commits[sha].files.get(path)
        return None if text is None or len(text.encode()) > most else text

    def changed(self, base: Sha, sha: Sha) -> tuple[str, ...]:
        """Return the names of files that differ."""
        old, new = self.commits[base].files, self.commits[sha].files
        return tuple(sorted(n for n in {*old, *new} if old.get(n) != new.get(n)))

    def release(self, lease: Lease, reached: Sha) -> tuple[str, ...]:
        """Remove the directories of this milestone's fences up to this one, keeping what no commit holds."""
        kept = {c.sha for tip in (reached, *self.refs.values()) for c in self.history(tip)}
        ignored = []
        for path in [p for p in self.directories if self._fence(p, lease) <= lease.fencing_token]:
            self._keep(path)
            if _own(self.directories[path]) != self.directories[path]:
                ignored.append(path)
            else:
                del self.directories[path]
        kept |= {c.sha for tip in self.branches.values() for c in self.history(tip)}
        ours = [c.sha for c in self.commits.values() if "Walkaway-Unit" in c.message or c.message == LEFT]
        for sha in [sha for sha in ours if sha not in kept]:
            self.refs[f"refs/walkaway-rescue/{lease.scope}/{sha}"] = sha
        return tuple(ignored)

    def _directory(self, lease: Lease) -> str:
        return f"/worktrees/{lease.scope}.f{lease.fencing_token}"

    def _fence(self, path: str, lease: Lease) -> float:
        name = path.rpartition("/")[2]
        scope, _, rest = name.partition(".f")
        return int(rest.split(".")[0]) if scope == lease.scope else float("inf")

    def _keep(self, path: str) -> None:
        """Put files that are in no commit under a rescue ref."""
        files = _own(self.directories.get(path, {}))
        if files and all(dict(c.files) != files for c in self.commits.values()):
            name = f"refs/walkaway-rescue/{path.rpartition('/')[2]}-{len(self.refs)}"
            self.refs[name] = self._commit(NO_SHA, dict(files), LEFT)

    def _common(self, one: Sha, other: Sha) -> Files:
        both = self._reached(one) & self._reached(other)
        return self.commits[max(both)].files if both else {}  # their names are numbers, the newest is the greatest

    def _reached(self, sha: Sha) -> set[Sha]:
        """Return the names of a commit and of all before it, on both sides of every merge."""
        found: set[Sha] = set()
        left = [sha]
        while left:
            if (one := left.pop()) not in {NO_SHA, *found}:
                found.add(one)
                left += [self.commits[one].parent, self.commits[one].other]
        return found

    def _commit(self, parent: Sha, files: Files, message: str, other: Sha = NO_SHA) -> Sha:
        sha = Sha(f"{len(self.commits) + 1:040x}")
        self.commits[sha] = Commit(sha=sha, parent=parent, files=dict(files), message=message, other=other)
        return sha


def _own(files: Files) -> Files:
    """Return what is not ignored."""
    return {name: text for name, text in files.items() if not name.endswith(".log")}
