"""Which steps a milestone takes: a profile leaves steps out or adds them."""

from collections.abc import Mapping

STEPS = ("research-milestone", "research-slice", "run-uat", "reassess-roadmap", "validate-milestone")
"""The unit types that a profile may leave out."""

PROFILES: Mapping[str, tuple[str, ...]] = {
    "budget": (),
    "balanced": ("validate-milestone",),
    "quality": ("research-milestone", "reassess-roadmap", "validate-milestone"),
    "max": STEPS,
}
"""Name of a profile -> its steps beside planning, doing and completing."""
