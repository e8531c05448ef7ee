"""The journal, folded: what the tables must be equal to."""

from collections.abc import Iterable

from walkaway.core.evolve import evolve
from walkaway.core.ids import ProjectId, Scope
from walkaway.core.model import Snapshot
from walkaway.store.codec import event_from_entry
from walkaway.store.door import blank
from walkaway.store.journal import Entry


def fold(project: ProjectId, scope: Scope, entries: Iterable[Entry]) -> Snapshot:
    """Return the state that the journal tells of.

    Raises `IllegalTransition` where the journal tells what cannot have happened, `Refused` where it holds an event
    that this version does not know.
    """
    s = blank(project, scope)
    for entry in entries:
        if entry.scope == scope:
            s = evolve(s, event_from_entry(entry.type, entry.body), entry.at)
    return s
