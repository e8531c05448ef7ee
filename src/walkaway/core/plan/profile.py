"""Which steps a milestone takes: a profile leaves steps out or adds them, and a user's hook leaves out single ones."""

from collections.abc import Mapping

from walkaway.core.ids import UnitKey
from walkaway.core.model import Snapshot

DISCUSS = "discuss-milestone"
UAT = "run-uat"

STEPS = (
    DISCUSS,
    "research-milestone",
    "research-slice",
    "evaluate-gate",
    UAT,
    "reassess-roadmap",
    "validate-milestone",
)
"""The unit types that a profile may leave out."""

PROFILES: Mapping[str, tuple[str, ...]] = {
    "budget": (),
    "balanced": ("validate-milestone",),
    "quality": (DISCUSS, "research-milestone", "evaluate-gate", "reassess-roadmap", "validate-milestone"),
    "max": STEPS,
}
"""Name of a profile -> its steps beside planning, doing and completing."""


def steps(profile: str, *, discuss: bool | None, uat: bool | None, gated: bool) -> tuple[str, ...]:
    """Return the steps of a milestone, in order; ``discuss`` and ``uat`` overrule the profile, None leaves it its way.

    A gate needs what it is about.
    """
    said = {DISCUSS: True if gated else discuss, UAT: uat}
    return tuple(step for step in STEPS if (step in PROFILES[profile] if said.get(step) is None else said[step]))


LEFT_OUT = "left-out"
"""The kind of the note that a unit is not to be done; it is about the unit."""


def left_out(s: Snapshot, key: UnitKey) -> bool:
    """Whether a hook left a unit out."""
    return s.note(LEFT_OUT, str(key)) is not None
