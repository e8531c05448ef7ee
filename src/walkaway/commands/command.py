"""What a command is: a name, a line of help, the form to fill in, and what it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from walkaway.core.errors import IllegalTransition, Usage
from walkaway.core.events import Event
from walkaway.core.ids import MilestoneId, Scope, Sha
from walkaway.core.model import MilestoneStatus, Policy, Seen, Snapshot
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


def changeable(project: Project, milestone: str) -> Snapshot:
    """Return a milestone as it is; raise `Usage` where it is complete: what is on its target nobody takes back here."""
    s = project.store.snapshot(Scope(milestone))
    if s.milestone.status is MilestoneStatus.COMPLETE:
        raise Usage(f"{milestone} is complete and merged; hand in what is to change with walkaway new --spec FILE.")
    return s


def record(project: Project, s: Snapshot, fact: Event) -> None:
    """Make a fact true of a milestone that is still as it was seen.

    Raises `Usage` with the reason where it cannot be, `StaleSnapshot` where somebody was faster.
    """
    seen = Seen(project=s.project, scope=s.scope, rev=s.rev, who=project.who)
    try:
        project.store.commit(seen, [fact])
    except IllegalTransition as error:
        raise Usage(str(error)) from error
