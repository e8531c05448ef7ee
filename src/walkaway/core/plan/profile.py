"""Which steps a milestone takes: a profile leaves steps out or adds them."""

from collections.abc import Mapping

DISCUSS = "discuss-milestone"

STEPS = (
    DISCUSS,
    "research-milestone",
    "research-slice",
    "evaluate-gate",
    "run-uat",
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


def steps(profile: str, *, discuss: bool | None, gated: bool) -> tuple[str, ...]:
    """Return the steps of a milestone; ``discuss`` overrules the profile, a gate needs what it is about."""
    own = PROFILES[profile]
    wanted = gated or (DISCUSS in own if discuss is None else discuss)
    others = tuple(step for step in own if step != DISCUSS)
    return (DISCUSS, *others) if wanted else others
