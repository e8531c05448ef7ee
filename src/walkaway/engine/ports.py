"""What the engine asks of the world; the adapters in ``agent``, ``git`` and ``verify`` answer.

A Protocol exists here because two implementations do: the real adapter and the one in ``walkaway.testing`` that has
passed the same suite.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from walkaway.core.brief import Brief, Desk, Outcome, Watch
from walkaway.core.ids import NO_SHA, DispatchId, MilestoneId, Sha
from walkaway.core.model import Checkout, Lease, Pin
from walkaway.core.plan.hook import Advice, Moment
from walkaway.core.retry import GiveUp
from walkaway.core.verdict import CheckRun

Hooks = Callable[[Moment, threading.Event], tuple[Advice, ...] | GiveUp]
"""The user's commands of a moment: what they answer, or why nothing may go on; `Cancelled` when the event is set."""


class Agent(Protocol):
    """One conversation with a model at a time."""

    def run(self, brief: Brief, cwd: str, desk: Desk, watch: Watch, transcript: str) -> Outcome:
        """Let a model do the brief in the directory ``cwd`` until the desk accepts its report.

        Each event of the conversation is appended to the file ``transcript`` as it happens. Raises `LimitReached`,
        `AgentStuck`, `BudgetSpent`, `ProviderDown`, `ProviderRefused` or `Cancelled`.
        """
        ...

    def cancel(self) -> None:
        """End the running conversation and every process it started; from any thread, harmless when idle."""
        ...

    def close(self) -> None:
        """Give back the thread and the event loop."""
        ...


class Workspace(Protocol):
    """The repository, seen as places to work and one branch to move."""

    def pin(self, branch: str | None) -> Pin:
        """Return the branch (None: the one the user has checked out) and its commit; `Usage` if there is none."""
        ...

    def has(self, sha: Sha) -> bool:
        """Whether this clone holds a commit: another host's work may not be here."""
        ...

    def prepare(self, lease: Lease, base: Sha, carry: Sha) -> Checkout:
        """Return the directory of this fence with the files of ``base``, clean.

        Where ``carry`` is a commit (the work that was refused last, kept by `rescue`) its files lie there uncommitted
        instead.
        Doing it again is harmless: whatever a cancelled run left in this fence's directory is put under a rescue
        ref first and then cleared; ignored files stay.
        """
        ...

    def merged(self, base: Sha, onto: Sha) -> Sha:
        """Return a commit on ``base`` whose files are those of both, with conflict markers where they do not fit.

        It is for `prepare` to lay out; nothing moves, and no checkout is touched.
        """
        ...

    def marked(self, sha: Sha, files: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of ``files`` that hold conflict markers in a commit."""
        ...

    def told(self, base: Sha, onto: Sha) -> str:
        """Return the messages of the commits that ``onto`` reaches and ``base`` does not, the newest first."""
        ...

    def seal(self, checkout: Checkout, message: str, *, work: bool, onto: Sha = NO_SHA) -> Sha:
        """Commit what lies in the checkout as one commit on its base and return it; empty where nothing changed.

        With ``onto`` it is a merge: that commit is its second parent, and its files are taken to be brought together.
        With ``work`` the repository's hooks run and may refuse (`HookRefused`, with their output); without it
        nothing in the directory is taken and no hook runs.
        """
        ...

    def salvage(self, lease: Lease, base: Sha) -> Sha:
        """Commit what a run left in this fence's directory, no hook asked; NO_SHA where that is ``base``'s.

        The commit is returned and need not stand on ``base``; `rescue` keeps it.
        """
        ...

    def rescue(self, lease: Lease, dispatch: DispatchId, sha: Sha) -> None:
        """Keep ``sha`` reachable under a rescue ref; harmless twice."""
        ...

    def line(self, milestone: MilestoneId) -> Sha:
        """Return the commit that ``refs/walkaway/<milestone>`` points at; NO_SHA where there is none."""
        ...

    def advance_line(self, milestone: MilestoneId, sha: Sha, seen: Sha) -> None:
        """Point ``refs/walkaway/<milestone>`` from ``seen`` at ``sha``; nothing where it is there already.

        Raises `StaleSnapshot` where it is at neither.
        """
        ...

    def clean_checkout(
        self, lease: Lease, sha: Sha, name: str, back: tuple[str, ...] = (), base: Sha = NO_SHA
    ) -> AbstractContextManager[str]:
        """Check ``sha`` out in a new scratch directory, removed at the end.

        The files ``back`` are there as they are in ``base``: gone where it has none.
        """
        ...

    def integrate(self, onto: Sha, head: Sha, message: str) -> Sha:
        """Make the squash commit of ``head`` on ``onto`` without a checkout; `Conflict` names the files."""
        ...

    def publish(self, branch: str, base: Sha, sha: Sha) -> None:
        """Move ``branch`` from ``base`` to ``sha``; nothing if it already contains ``sha``.

        Raises `StaleSnapshot` if the branch is elsewhere, `NotPublishable` if the user's checkout is in the way.
        """
        ...

    def read(self, sha: Sha, path: str, most: int) -> str | None:
        """Return a file of a commit as text; None where there is none, or it is larger than ``most`` bytes."""
        ...

    def changed(self, base: Sha, sha: Sha) -> tuple[str, ...]:
        """Return the paths that differ between two commits."""
        ...

    def release(self, lease: Lease, reached: Sha) -> tuple[str, ...]:
        """Remove this milestone's directories whose commits are reachable from ``reached`` or a rescue ref.

        Directories that hold files of somebody's (untracked, ignored) are kept; their paths are returned.
        """
        ...


class Verifier(Protocol):
    """The project's own commands, run by us."""

    def set_up(
        self,
        path: str,
        commands: tuple[str, ...] | None,
        timeout_s: float,
        cancel: threading.Event,
        *,
        again: bool = False,
    ) -> tuple[CheckRun, ...]:
        """Run the set-up commands (None: those discovered) in a checkout, once per state of its lock files.

        With ``again`` they run whatever was run before. Returns what ran now, () if nothing had to. Raises `CannotRun`
        with the output when one fails.
        """
        ...

    def checks(self, path: str, commands: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return the commands that judge this tree: ``commands``, or where None those discovered from its files."""
        ...

    def run(self, command: str, path: str, timeout_s: float, cancel: threading.Event) -> CheckRun:
        """Run one check; never raises for what the command does. `Cancelled` when ``cancel`` is set meanwhile."""
        ...
