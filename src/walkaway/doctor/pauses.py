"""Pauses in force: why nothing goes on."""

from collections.abc import Sequence
from datetime import UTC, datetime

from walkaway.core.fleet.pause import Pause
from walkaway.core.ids import PROJECT_SCOPE
from walkaway.doctor.check import PROJECT, Check, Fault, Finding, Patient, Severity

HELD = Fault(
    code="paused", severity=Severity.NOTE, means="A person paused the project or a milestone; no unit is begun there."
)


def finds(patient: Patient) -> Sequence[Finding]:
    """Return what a person paused and nobody resumed."""
    pauses = patient.opened.controls.read().pauses.values()
    return [_told(pause) for pause in pauses if not pause.step]


def _told(pause: Pause) -> Finding:
    whole = pause.restriction == PROJECT_SCOPE
    since = datetime.fromtimestamp(pause.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    why = f": {pause.reason}" if pause.reason else ""
    told = f"{'The project' if whole else pause.restriction} was paused by {pause.who} at {since}{why}."
    fix = f"To go on: walkaway resume{'' if whole else f' --milestone {pause.restriction}'}"
    return HELD.found(PROJECT if whole else pause.restriction, told, fix)


CHECK = Check(id="pauses", healthy="Nothing is paused.", faults=(HELD,), finds=finds, needs=("database",))
