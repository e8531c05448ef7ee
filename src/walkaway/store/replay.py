"""The journal, folded: what the tables must be equal to."""

from collections.abc import Iterable
from typing import get_args

from walkaway.core.evolve import evolve
from walkaway.core.ids import ProjectId, Scope
from walkaway.core.model import Snapshot
from walkaway.core.registers import facts as registered
from walkaway.core.registers.facts import RegisterEvent
from walkaway.core.registers.model import Registers
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
        if entry.scope == scope and not is_register(entry):
            s = evolve(s, event_from_entry(entry.type, entry.body), entry.at)
    return s


def registers(entries: Iterable[Entry]) -> Registers:
    """Return the registers that the journal of a whole project, in the order of its times, tells of."""
    r = Registers()
    for entry in entries:
        if is_register(entry):
            r = registered.evolve(r, event_from_entry(entry.type, entry.body), entry.at)
    return r


def is_register(entry: Entry) -> bool:
    """Whether an entry is about the registers of the project, whichever scope's journal it stands in."""
    return entry.type in _REGISTER


_REGISTER = frozenset(cls.__name__ for cls in get_args(RegisterEvent))
