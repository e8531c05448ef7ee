"""Hooks of the user's that no person has looked at as they are now: no unit begins while one of them is concerned."""

from collections.abc import Sequence

from walkaway.core.errors import Usage
from walkaway.doctor.check import Check, Fault, Finding, Patient, Severity
from walkaway.hooks import State

UNTRUSTED = Fault(
    code="hook-untrusted",
    severity=Severity.WARNING,
    means="A command in `hooks` was never trusted, or was changed since: the units that it is about do not begin.",
)


def finds(patient: Patient) -> Sequence[Finding]:
    """Return the hooks that would hold the work up."""
    if patient.hooks is None:
        return []
    found = []
    for hook in patient.hooks.hooks:
        try:
            state: str = patient.hooks.trust.of(hook)
        except Usage as error:
            state = f"not readable: {error}"
        if state != State.TRUSTED:
            told = f"The hook '{hook.name}' ({hook.run}) is {state}."
            found.append(UNTRUSTED.found(hook.name, told, f"Look at what it runs, then: walkaway trust {hook.name}"))
    return found


CHECK = Check(
    id="trust",
    healthy="Every hook is trusted as it is, or there is none.",
    faults=(UNTRUSTED,),
    finds=finds,
)
