"""A journal with holes, and tables that are not what the journal says happened."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import reduce
from itertools import islice

from walkaway.core.errors import Usage, WalkawayError
from walkaway.core.fleet.pause import Control, evolve
from walkaway.core.ids import PROJECT_SCOPE, Scope
from walkaway.core.lifecycle import ENDS
from walkaway.core.model import Snapshot
from walkaway.core.registers.model import Registers
from walkaway.doctor.check import PROJECT, Check, Fault, Finding, Patient, Severity
from walkaway.git.repo import some
from walkaway.store import Store
from walkaway.store.codec import event_from_entry
from walkaway.store.journal import Entry
from walkaway.store.replay import fold, is_register
from walkaway.store.replay import registers as registers_told

GAP = Fault(code="journal-gap", severity=Severity.ERROR, means="Facts that were recorded together are not all there.")
UNPAIRED = Fault(
    code="journal-unpaired",
    severity=Severity.ERROR,
    means="A run has no claim, or not exactly one end, in the journal.",
)
DIFFERS = Fault(
    code="journal-differs",
    severity=Severity.ERROR,
    means="The tables are not what the journal says happened, or the journal cannot be followed.",
)
AHEAD = Fault(
    code="future-time",
    severity=Severity.WARNING,
    means="Facts are dated more than a day ahead of the database's clock.",
)

CLAIM = "DispatchClaimed"
DAY_S = 86400.0
UNREADABLE = (WalkawayError, ValueError, TypeError, KeyError, AttributeError)
"""What a body that somebody changed by hand can be."""

FIX = "Keep a copy of the database and report this: it is a defect, and every later step builds on it."


def finds(patient: Patient) -> Sequence[Finding]:
    """Return each scope whose journal has holes, or leads elsewhere than its tables are."""
    store = patient.opened
    control, registers = store.controls.read(), store.registers()
    tables = {Scope(row.id): store.snapshot(Scope(row.id)) for row in store.overview().milestones}
    entries: dict[Scope, list[Entry]] = {scope: [] for scope in tables}
    journal = store.journal({})  # read after the tables: it has all that they have, and perhaps more
    for entry in journal:
        entries.setdefault(entry.scope, []).append(entry)
    found = [finding for scope, listed in entries.items() for finding in _holes(scope, listed)]
    for scope, s in tables.items():
        seen = [entry for entry in entries[scope] if entry.rev <= s.rev]
        found += [*_unpaired(s, seen), *_differing(store, s, seen)]
    found += _orphans(store, entries.keys() - tables.keys() - {PROJECT_SCOPE})
    found += _controls(control, entries.get(PROJECT_SCOPE, []))
    found += _registers(registers, filter(is_register, journal))
    return [*found, *_ahead(store.now(), entries)]


def _holes(scope: Scope, entries: Iterable[Entry]) -> Sequence[Finding]:
    """Find revisions whose facts are not numbered from 0 without a hole."""
    numbers: dict[int, list[int]] = {}
    for entry in entries:
        numbers.setdefault(entry.rev, []).append(entry.i)
    torn = [str(rev) for rev, found in sorted(numbers.items()) if sorted(found) != list(range(len(found)))]
    if not torn:
        return []
    return [GAP.found(_name(scope), f"The journal of {_name(scope)} lacks facts of revision {some(torn)}.", FIX)]


def _unpaired(s: Snapshot, entries: Iterable[Entry]) -> Sequence[Finding]:
    """Find runs that were not claimed once and, unless they are live, ended once."""
    claims: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    for entry in entries:
        if entry.type == CLAIM:
            claims[_dispatch(entry)] += 1
        elif entry.type in ENDS:
            ends[_dispatch(entry)] += 1
    wanted = {str(d.id): (1, 0 if d.live else 1) for d in s.dispatches.values()}
    wrong = [
        f"{d or 'one without a name'} ({claims[d]} claimed, {ends[d]} ended)"
        for d in sorted({*wanted, *claims, *ends})
        if (claims[d], ends[d]) != wanted.get(d)
    ]
    if not wrong:
        return []
    return [
        UNPAIRED.found(
            s.scope, f"In the journal of {s.scope} these runs have no claim or not one end: {some(wrong)}.", FIX
        )
    ]


def _dispatch(entry: Entry) -> str:
    try:
        return str(json.loads(entry.body)["dispatch"])
    except UNREADABLE:
        return ""


def _differing(store: Store, s: Snapshot, entries: Sequence[Entry]) -> Sequence[Finding]:
    try:
        told, kept = fold(store.project, s.scope, entries).aggregate, s.aggregate
    except UNREADABLE as failed:
        return [DIFFERS.found(s.scope, f"The journal of {s.scope} cannot be followed: {failed}", FIX)]
    wrong = [f.name for f in fields(Snapshot) if getattr(told, f.name) != getattr(kept, f.name)]
    if not wrong:
        return []
    return [DIFFERS.found(s.scope, f"The tables of {s.scope} differ from its journal in {', '.join(wrong)}.", FIX)]


def _orphans(store: Store, scopes: Iterable[Scope]) -> Sequence[Finding]:
    """Find journals of milestones that are not there; one that was handed in while we looked is."""
    found = []
    for scope in sorted(scopes):
        try:
            store.snapshot(scope)
        except Usage:
            found.append(DIFFERS.found(scope, f"There is a journal of {scope}, and no such milestone.", FIX))
    return found


def _controls(control: Control, entries: Iterable[Entry]) -> Sequence[Finding]:
    """Compare pauses and stops with the project's own journal."""
    try:
        told = reduce(
            lambda c, e: evolve(c, event_from_entry(e.type, e.body), e.at, e.rev),
            (entry for entry in entries if entry.rev <= control.rev and not is_register(entry)),
            Control(),
        )
    except UNREADABLE as failed:
        return [DIFFERS.found(PROJECT, f"The journal of the project cannot be followed: {failed}", FIX)]
    wrong = [part for part in ("pauses", "stops") if getattr(told, part) != getattr(control, part)]
    if not wrong:
        return []
    return [DIFFERS.found(PROJECT, f"The project's {' and '.join(wrong)} differ from its journal.", FIX)]


def _registers(registers: Registers, entries: Iterable[Entry]) -> Sequence[Finding]:
    """Compare the registers with the facts of all journals, in the order of their times."""
    try:
        told = registers_told(islice(entries, registers.facts))
    except UNREADABLE as failed:
        return [DIFFERS.found(PROJECT, f"The journal of the registers cannot be followed: {failed}", FIX)]
    parts = ("facts", "decisions", "requirements", "memories")
    wrong = [part for part in parts if getattr(told, part) != getattr(registers, part)]
    if not wrong:
        return []
    return [DIFFERS.found(PROJECT, f"The project's {' and '.join(wrong)} differ from its journal.", FIX)]


def _ahead(now: float, entries: Mapping[Scope, Sequence[Entry]]) -> Sequence[Finding]:
    found = []
    for scope, listed in entries.items():
        late = [entry.at for entry in listed if entry.at > now + DAY_S]
        if late:
            latest = datetime.fromtimestamp(max(late), UTC).strftime("%Y-%m-%d %H:%M UTC")
            told = f"{len(late)} facts of {_name(scope)} are dated in the future, the latest {latest}."
            fix = "Set the clock of the machine right that the database is on; times in the journal stay as they are."
            found.append(AHEAD.found(_name(scope), told, fix))
    return found


def _name(scope: Scope) -> str:
    return PROJECT if scope == PROJECT_SCOPE else scope


CHECK = Check(
    id="journal",
    healthy="The tables are what the journal says happened.",
    faults=(GAP, UNPAIRED, DIFFERS, AHEAD),
    finds=finds,
    needs=("database",),
)
