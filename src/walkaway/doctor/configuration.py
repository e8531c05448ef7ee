"""Settings that nobody knows or that cannot be."""

from collections.abc import Sequence

from walkaway.doctor.check import Check, Finding, Patient, error

ID = "configuration"


def finds(patient: Patient) -> Sequence[Finding]:
    """Return why the settings cannot be read."""
    if not patient.configuration:
        return []
    return [error(ID, patient.configuration, "Correct that setting; walkaway config show lists all of them.")]


CHECK = Check(id=ID, healthy="Every setting is known and can be.", finds=finds)
