"""The settings that decide, as they are stored with each milestone."""

from dataclasses import dataclass

PLANNING = ("light", "deep")
"""How a project begins: with the plan of its first milestone, or with what it is and has to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The settings that decide, as stored: a decision can be replayed from the database alone (ADR 0009).

    ``checks`` and ``setup``: None = discover them, () = none.
    """

    checks: tuple[str, ...] | None = None
    checks_timeout_s: float = 600.0
    tests: str = "flag"  # what follows where a task's tests are weaker or cannot fail: "flag", "refuse" or "off"
    setup: tuple[str, ...] | None = None
    attempts: int = 3
    usd: float | None = None
    steps: tuple[str, ...] = ("validate-milestone",)
    """The unit types that a profile may leave out and this one does not (`core/profile.py`)."""
    scope: str = "auto"  # one of SCOPES: how much a person says there is to it, or `core/plan/scope.py` judges
    questions: str = "ask"  # what an agent asks is asked, or it is told to "assume"; a gate is always asked
    gates: tuple[str, ...] = ()
    """What a person is asked before it goes on: `core/asking/gates.py`."""
    planning: str = "light"  # one of PLANNING: what deep asks for is in `core/plan/start.py`
