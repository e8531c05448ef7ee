"""Settings that nobody knows or that cannot be."""

from collections.abc import Sequence

from walkaway.doctor.check import PROJECT, Check, Fault, Finding, Patient, Severity

WRONG = Fault(
    code="setting-wrong",
    severity=Severity.ERROR,
    means="A setting has an unknown key or an impossible value, or its file cannot be read.",
)


def finds(patient: Patient) -> Sequence[Finding]:
    """Return why the settings cannot be read."""
    if not patient.configuration:
        return []
    fix = "Correct that setting; walkaway config show lists all of them."
    return [WRONG.found(PROJECT, patient.configuration, fix)]


CHECK = Check(id="configuration", healthy="Every setting is known and can be.", faults=(WRONG,), finds=finds)
