"""Projections that are missing, or do not show what the database holds."""

import os
from collections.abc import Mapping, Sequence

from walkaway import projection
from walkaway.core.derive import derive
from walkaway.core.fleet.overview import Overview
from walkaway.core.ids import Scope
from walkaway.core.model import MilestoneStatus, Snapshot
from walkaway.core.schedule import eligible
from walkaway.doctor.check import PROJECT, Check, Fault, Finding, Patient, Severity
from walkaway.doctor.workers import at_work
from walkaway.git.repo import some
from walkaway.projection.stamp import stamp_of, unstamped
from walkaway.store import Store
from walkaway.units import UNITS

PRINT = "prints it again from the database"
MISSING = Fault(
    code="projection-missing", severity=Severity.NOTE, means="A file under `.walkaway/view` is missing.", mends=PRINT
)
STALE = Fault(
    code="projection-stale",
    severity=Severity.NOTE,
    means="A file under `.walkaway/view` does not show what the database holds.",
    mends=PRINT,
)
STATE = "STATE.md"
REGISTERS = "registers"

Printed = tuple[Mapping[str, str], int]
"""Files by path as they should be, and the revision that they show."""


def finds(patient: Patient) -> Sequence[Finding]:
    """Return what is not printed as it should be; what a worker is at, it prints itself."""
    overview = patient.opened.overview()
    busy = at_work(overview)
    found: list[Finding] = []
    for row in overview.milestones:
        if row.id not in busy:
            found += _compared(patient, row.id, _printed(patient, overview, row.id), new=_is_new(row.status))
    if overview.milestones and not busy:
        new = all(_is_new(row.status) for row in overview.milestones)
        found += _compared(patient, PROJECT, _printed(patient, overview, PROJECT), new=new)
        found += _compared(patient, REGISTERS, _printed(patient, overview, REGISTERS), new=new)
    return found


def fixes(patient: Patient, finding: Finding) -> str:
    """Print again what is due, unless a worker is at it by now."""
    store, overview = patient.opened, patient.opened.overview()
    busy = at_work(overview)
    if busy if finding.scope in (PROJECT, REGISTERS) else finding.scope in busy:
        return f"A worker prints {finding.scope} itself."
    view = _view(patient)
    present = {path: _revision(_present(view, path)) for path in _printed(patient, overview, finding.scope)[0]}
    files, rev = _printed(patient, store.overview(), finding.scope)  # read after them, it cannot be older than they
    for path, shown in present.items():
        if shown > rev:  # printed from a database that was lost: `write` would keep it
            os.unlink(os.path.join(view, path))
    written = projection.write(view, files, rev)
    return f"Printed {some(written)}." if written else f"The files of {finding.scope} were printed already."


def _compared(patient: Patient, scope: str, printed: Printed, *, new: bool) -> Sequence[Finding]:
    files, _ = printed
    present = {path: _present(_view(patient), path) for path in files}
    missing = [path for path, text in present.items() if text is None]
    if new and len(missing) == len(files):
        return []  # the first run prints them
    stale = [path for path, text in present.items() if text is not None and unstamped(text) != unstamped(files[path])]
    found = []
    if missing:
        told = f"Not printed in {_view(patient)}: {some(missing)}."
        found.append(MISSING.found(scope, told, "Print it again; the next walkaway auto does so too."))
    if stale:
        told = f"Out of date in {_view(patient)}: {some(stale)}."
        found.append(STALE.found(scope, told, "Print it again; the next walkaway auto does so too."))
    return found


def _printed(patient: Patient, overview: Overview, scope: str) -> Printed:
    if scope == REGISTERS:
        r = patient.opened.registers()
        return projection.render_registers(r), r.facts
    return _of_state(patient, overview) if scope == PROJECT else _of_milestone(patient.opened, Scope(scope))


def _of_milestone(store: Store, scope: Scope) -> Printed:
    s = store.snapshot(scope)
    return projection.render(s, store.texts(projection.needed(s))), s.rev


def _of_state(patient: Patient, overview: Overview) -> Printed:
    """Return the project's page as of the milestone that it is of; a new one is of the one to be worked on next."""
    store = patient.opened
    stamp = stamp_of(_present(_view(patient), STATE) or "")
    listed = [row.id for row in overview.milestones]
    named = [row for row in listed if stamp and row == stamp.scope] or eligible(overview)[:1] or listed[-1:]
    s: Snapshot | None = store.snapshot(Scope(named[0])) if named else None
    registers = store.registers()
    return projection.render_state(overview, s, derive(s, UNITS) if s else None, registers), s.rev if s else 0


def _is_new(status: MilestoneStatus) -> bool:
    return status is MilestoneStatus.QUEUED


def _view(patient: Patient) -> str:
    return os.path.join(patient.state, "view")


def _present(view: str, path: str) -> str | None:
    try:
        with open(os.path.join(view, path), encoding="utf-8", errors="replace") as source:
            return source.read()
    except FileNotFoundError:
        return None


def _revision(text: str | None) -> int:
    stamp = stamp_of(text) if text else None
    return stamp.rev if stamp else 0


CHECK = Check(
    id="projections",
    healthy="The projections show what the database holds.",
    faults=(MISSING, STALE),
    finds=finds,
    fixes=fixes,
    needs=("database",),
)
