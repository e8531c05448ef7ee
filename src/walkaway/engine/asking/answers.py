"""Answers that a person wrote down before the run began: one more channel, that is asked like any other."""

from collections.abc import Mapping

from walkaway.core.asking.question import Question

WHO = "the answers file"
"""Who answers what was written down before."""


class Answers:
    """What a run was given to answer with: by the id of a question, a reason, or the id of a gate."""

    def __init__(self, given: Mapping[str, str]) -> None:
        """Take the answers by name; each is good for one question of a unit, so that none is given for ever."""
        self._given = given
        self._used: set[tuple[str, str]] = set()

    def unused(self) -> list[str]:
        """Return the names that nothing asked for."""
        used = {name for name, _ in self._used}
        return [name for name in self._given if name not in used]

    def to(self, question: Question) -> str | None:
        """Return what was written down for a question, once; None where that is nothing.

        A reason answers no gate: what a gate holds is confirmed by its own name only.
        """
        for name in (question.id, question.gate or question.reason):
            if name in self._given and (name, question.unit) not in self._used:
                self._used.add((name, question.unit))
                return self._given[name]
        return None
