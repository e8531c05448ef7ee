"""What a check is: an id, what it finds in a project, and what is true when it finds nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from walkaway.store import Store


class Severity(StrEnum):
    """How bad a finding is; an error makes `walkaway doctor` exit 10."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found, and how to mend it."""

    check: str
    severity: Severity
    text: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAccess:
    """The model's settings, and whether a key for it was found."""

    name: str
    base_url: str
    key_variable: str
    has_key: bool
    usual_variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A project, as far as it could be opened; ``configuration`` and ``database`` say what could not, and why."""

    root: str
    state: str
    configuration: str = ""
    database: str = ""
    url: str = ""
    model: ModelAccess | None = None
    store: Store | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing to look for. ``finds`` changes nothing and returns nothing where all is well."""

    id: str
    healthy: str
    finds: Callable[[Patient], Sequence[Finding]]

    def well(self) -> Finding:
        """Return the finding that there is nothing to find."""
        return Finding(check=self.id, severity=Severity.OK, text=self.healthy)


def error(check: str, text: str, fix: str) -> Finding:
    """Return a finding that keeps the work from being done."""
    return Finding(check=check, severity=Severity.ERROR, text=text, fix=fix)


def warning(check: str, text: str, fix: str) -> Finding:
    """Return a finding that may hurt one day."""
    return Finding(check=check, severity=Severity.WARNING, text=text, fix=fix)


def note(check: str, text: str, fix: str = "") -> Finding:
    """Return something worth knowing."""
    return Finding(check=check, severity=Severity.NOTE, text=text, fix=fix)
