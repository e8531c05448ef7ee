"""Tables that are not what the journal says happened."""

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import reduce

from walkaway.core.errors import WalkawayError
from walkaway.core.evolve import evolve
from walkaway.core.ids import PROJECT_SCOPE, Scope
from walkaway.core.model import Snapshot
from walkaway.doctor.check import Check, Finding, Patient, error
from walkaway.store import Store
from walkaway.store.codec import event_from_entry
from walkaway.store.door import blank
from walkaway.store.journal import Entry

ID = "journal"
OUTSIDE = frozenset({"rev", "now", "usage"})
"""Parts of a snapshot that no event makes."""

FIX = "Keep a copy of the database and report this: it is a defect, and every later step builds on it."


def finds(patient: Patient) -> Sequence[Finding]:
    """Return each milestone whose journal, folded, is not what its tables hold."""
    store = patient.store
    if store is None:
        return []
    try:
        entries = store.journal({})
        scopes = dict.fromkeys(entry.scope for entry in entries if entry.scope != PROJECT_SCOPE)
        return [found for scope in scopes for found in _compare(store, scope, [e for e in entries if e.scope == scope])]
    except WalkawayError as failed:
        return [error(ID, f"The journal cannot be followed: {failed}", FIX)]


def _compare(store: Store, scope: Scope, entries: Sequence[Entry]) -> list[Finding]:
    tables = store.snapshot(scope)
    if entries[-1].rev < tables.rev:  # it went on while we looked, or lacks its end
        last = store.journal({scope: entries[-1].rev})
        entries = [*entries, *(e for e in last if e.scope == scope)]
    entries = [e for e in entries if e.rev <= tables.rev]
    told = folded(store, scope, entries)
    parts = [f.name for f in fields(Snapshot) if f.name not in OUTSIDE]
    wrong = [part for part in parts if getattr(told, part) != getattr(tables, part)]
    if not wrong:
        return []
    return [error(ID, f"The tables of {scope} differ from its journal in {', '.join(wrong)}.", FIX)]


def folded(store: Store, scope: Scope, entries: Sequence[Entry]) -> Snapshot:
    """Return the state that a journal leads to."""
    start = replace(blank(store.project, scope), now=0.0)
    return reduce(lambda s, e: evolve(s, event_from_entry(e.type, e.body), e.at), entries, start)


CHECK = Check(id=ID, healthy="The tables are what the journal says happened.", finds=finds)
