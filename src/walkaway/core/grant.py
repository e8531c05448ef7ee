"""What an agent may touch while it does a unit, as data."""

from dataclasses import dataclass
from enum import StrEnum


class Effect(StrEnum):
    """What a tool call does to the world."""

    READ = "read"
    WRITE = "write"
    SHELL = "shell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A closed list of permissions; whatever it does not name is refused.

    ``effects`` are the kinds of call allowed inside the unit's own checkout; nothing outside it is ever
    writable. ``paths`` limits writing to these glob patterns, relative to the checkout (empty: anywhere in it).
    ``subagents``: whether sub-agents may be sent, which themselves only read.
    """

    name: str
    effects: frozenset[Effect]
    paths: tuple[str, ...] = ()
    subagents: bool = False

    def sentence(self) -> str:
        """Return the policy in words for the brief, so that prompt and policy cannot disagree."""
        sending = " You may send sub-agents, which may only read files." if self.subagents else ""
        return self._files() + sending

    def _files(self) -> str:
        if Effect.WRITE not in self.effects:
            shell = "run commands that change nothing" if Effect.SHELL in self.effects else "not run commands"
            return f"You may read files; you may {shell} and may not change files."
        where = "any file" if not self.paths else "files matching " + ", ".join(self.paths)
        shell = " and run commands" if Effect.SHELL in self.effects else ""
        return f"You may read files, change {where} in the working directory{shell}; nothing outside it."


ERRAND = Grant(name="errand", effects=frozenset({Effect.READ}))
RESEARCHING = Grant(name="researching", effects=frozenset({Effect.READ}), subagents=True)
PLANNING = Grant(name="planning", effects=frozenset({Effect.READ}))
REVIEWING = Grant(name="reviewing", effects=frozenset({Effect.READ, Effect.SHELL}))
BUILDING = Grant(name="building", effects=frozenset({Effect.READ, Effect.WRITE, Effect.SHELL}))
