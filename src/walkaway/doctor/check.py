"""What a check is: what it finds in a project, what can be wrong, and what is safe to do about it.

Rule: to look changes nothing. Everything that is ever changed goes through `doctor.mend`, and only a `Fault` that says
what is done about it (``mends``) may have it done.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from walkaway.core.errors import GitFailed, StoreUnavailable
from walkaway.git.repo import Repo, version
from walkaway.hooks import ProjectHooks
from walkaway.store import Store

PROJECT = "project"
ENVIRONMENT = "environment"
REPOSITORY = "repository"


class Severity(StrEnum):
    """How bad a finding is; an error makes `walkaway doctor` exit 10."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of thing to find; ``code`` is a stable word, documented with ``means`` in docs/reference.md."""

    code: str
    severity: Severity
    means: str
    mends: str = ""
    """What `walkaway doctor --fix` does about it; "" where nothing is provably safe."""

    def found(self, scope: str, message: str, fix: str) -> "Finding":
        """Return the finding of this in ``scope``; ``fix`` says what to do."""
        return Finding(fault=self, scope=scope, message=message, fix=fix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found: where (the project, a milestone, a worker, a directory…), what exactly, and what to do."""

    fault: Fault
    scope: str
    message: str
    fix: str = ""
    check: str = ""
    """The id of the check that found it."""

    @property
    def code(self) -> str:
        """The stable word."""
        return self.fault.code

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return self.fault.severity

    @property
    def fixable(self) -> bool:
        """Whether `walkaway doctor --fix` does something about it."""
        return bool(self.fault.mends)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAccess:
    """The model's settings, and whether a key for it was found."""

    name: str
    base_url: str
    key_variable: str
    has_key: bool
    usual_variables: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A project, as far as it could be opened; ``configuration`` and ``database`` say what could not, and why.

    What git said of itself and of its settings is remembered, as long as this object is kept.
    """

    root: str
    state: str
    configuration: str = ""
    database: str = ""
    url: str = ""
    model: ModelAccess | None = None
    store: Store | None = None
    hooks: ProjectHooks | None = None

    @property
    def opened(self) -> Store:
        """The project's state; `StoreUnavailable` where it could not be opened."""
        if self.store is None:
            raise StoreUnavailable(self.database or "The database was not opened.")
        return self.store

    @cached_property
    def repo(self) -> Repo:
        """The repository by the user's checkout; whether there is one shows when it is used."""
        return Repo(Path(self.root))

    @cached_property
    def head(self) -> str:
        """The commit that is checked out; `GitFailed` where git cannot use the repository. Looked up once."""
        return self.repo.tip("HEAD")

    @property
    def git_version(self) -> tuple[int, ...]:
        """The version of git; `GitFailed` where there is none, also where there was one a moment ago."""
        if shutil.which("git") is None:
            raise GitFailed("git is not on the path")
        return self._git_version

    @cached_property
    def _git_version(self) -> tuple[int, ...]:
        return version()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing to look for, and the faults it may find.

    ``finds`` changes nothing and returns nothing where all is well. ``fixes`` does what its fault says for one finding
    and returns a sentence of what was done; it looks again first, is harmless twice, and raises `WalkawayError` where
    it cannot. A ``cheap`` check takes a few milliseconds and needs no database: the health gate runs it.
    """

    id: str
    healthy: str
    faults: tuple[Fault, ...]
    finds: Callable[[Patient], Sequence[Finding]]
    fixes: Callable[[Patient, Finding], str] | None = None
    needs: tuple[str, ...] = ()
    """Checks without whose errors this one can look."""
    cheap: bool = False

    def well(self) -> Finding:
        """Return the finding that there is nothing to find."""
        fault = Fault(code=self.id, severity=Severity.OK, means=self.healthy)
        return Finding(fault=fault, scope=PROJECT, message=self.healthy, check=self.id)


BLIND = Fault(
    code="not-looked-at",
    severity=Severity.NOTE,
    means="A check was left out because of an error in what it looks at.",
)
UNSEEN = Fault(code="cannot-look", severity=Severity.ERROR, means="A check could not see what it looks at.")
GENERAL = (BLIND, UNSEEN)
"""What any check may be found to be."""
