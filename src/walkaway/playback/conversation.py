"""From a request's messages to its place: which unit, which attempt, which step."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from walkaway.playback.script import Place

Role = Literal["system", "user", "assistant", "tool"]

_UNIT = re.compile(r"^Unit: (\S+) (\S+)(?:[ \t]+\(?attempt (\d+)\)?)?[ \t\r]*$", re.MULTILINE)
_STEP = re.compile(r"^Step: (\d+)[ \t\r]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation in any protocol; only what people and the system wrote has a text."""

    role: Role
    text: str = ""


def locate(turns: Sequence[Turn]) -> Place:
    """Return where the conversation stands.

    The unit is that of the last ``Unit:`` line in the first user message, else in the system's text, else in
    a later user message. The step is the number of assistant messages; a ``Step: k`` line is a new base for
    those that follow its message.
    """
    found = next(_unit_lines(turns), None)
    unit, attempt = (None, None) if found is None else found
    prompt = next((turn.text for turn in turns if turn.role == "user"), "")
    return Place(unit=unit, attempt=attempt, step=_step(turns), prompt=prompt)


def _unit_lines(turns: Sequence[Turn]) -> Iterator[tuple[str, int]]:
    users = [turn.text for turn in turns if turn.role == "user"]
    system = [turn.text for turn in turns if turn.role == "system"]
    for text in (*users[:1], *system[::-1], *users[1:]):
        for kind, target, attempt in _UNIT.findall(text)[-1:]:
            yield f"{kind} {target}", int(attempt or 1)


def _step(turns: Sequence[Turn]) -> int:
    said = 0
    for turn in reversed(turns):
        if turn.role == "assistant":
            said += 1
        elif bases := _STEP.findall(turn.text):
            return int(bases[-1]) + said
    return said
