"""What waits for a person: a question, and the gate that some questions are.

A *gate* is asked under an id of its own (``depth:M001``) that names what it holds: a milestone, or the project's own
`PROJECT` or `REQUIREMENTS`. It may be asked again and again; its state follows from the last time alone
(`core/asking/gates.py`).
"""

from dataclasses import dataclass

from walkaway.core.ids import is_target

CONFIRM, REVISE = "confirm", "revise"
GATE_OPTIONS = (CONFIRM, REVISE)
"""The only answers that a gate takes; nothing but the first confirms it."""

DEPTH = "depth"
"""The kind of gate that there is: has what was written down been thought through?"""

OF_PROJECT = ("PROJECT", "REQUIREMENTS")
"""What a gate may hold beside a milestone."""

ASKED = "asked"
"""The reason of a question that an agent asked."""

BY_POLICY = "the policy"
"""Who answers, where a setting says that an agent is to assume. It never answers a gate: silence is no consent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The only way the machine waits for a person."""

    id: str
    unit: str
    reason: str  # a stable word: what kind of block this is
    text: str
    remedies: tuple[str, ...]
    options: tuple[str, ...]
    answer: str = ""
    answered_by: str = ""
    after: int = 0
    """Number of dispatches when it was answered: the attempts of its unit are counted from there."""
    asked_at: float = 0.0
    answered_at: float = 0.0
    gate: str = ""
    """The gate that it asks; "" where it is none."""

    @property
    def open(self) -> bool:
        """Whether nobody has answered."""
        return not self.answer


def is_gate(text: str) -> bool:
    """Whether ``text`` is the id of a gate."""
    kind, _, held = text.partition(":")
    return kind == DEPTH and (held in OF_PROJECT or ("/" not in held and is_target(held)))


def held_by(gate: str) -> str:
    """Return what a gate holds: a milestone's id, PROJECT or REQUIREMENTS."""
    return gate.partition(":")[2]
