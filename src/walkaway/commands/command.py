"""What a command is: a name, a line of help, the form to fill in, and what it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from walkaway.core.ids import MilestoneId, Sha
from walkaway.core.model import Policy
from walkaway.store import Store

P = TypeVar("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What a command works on, and on whose behalf."""

    store: Store
    policy: Policy
    who: str
    keep: Callable[[MilestoneId, Sha], None]
    """Keeps a commit of a milestone under a rescue ref of the repository, whatever becomes of its line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Generic[P]):
    """A change of state that a person may make; ``run`` returns the one line that says what came of it.

    ``run`` raises `Usage` for a form that cannot be and `StaleSnapshot` where somebody was faster.
    """

    name: str
    help: str
    form: type[P]
    run: Callable[[Project, P], str]
