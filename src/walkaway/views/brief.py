"""What an agent is told, and how large each part of it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from walkaway.views.query import Json

INSTRUCTIONS = "Instructions"


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefShown:
    """The first request of a unit: system prompt, first message, and each tool as JSON."""

    unit: str
    system: str
    prompt: str
    tools: tuple[str, ...]


def sizes(brief: BriefShown) -> list[tuple[str, int]]:
    """Return the parts of a request and their bytes, in order; what a protocol wraps around them is not counted.

    The parts of the message are its sections, by heading; what stands before the first heading are the instructions.
    """
    parts = [("System prompt", len(brief.system.encode()))]
    title, size = INSTRUCTIONS, 0
    for line in brief.prompt.splitlines(keepends=True):
        if line.startswith("## "):
            parts.append((title, size))
            title, size = line[3:].strip(), 0
        size += len(line.encode())
    parts.append((title, size))
    return [*parts, (f"{len(brief.tools)} tools", sum(len(tool.encode()) for tool in brief.tools))]


def brief_json(brief: BriefShown, parts: Sequence[tuple[str, int]]) -> Json:
    """Return a brief for programs."""
    return {
        "v": 1,
        "unit": brief.unit,
        "system": brief.system,
        "prompt": brief.prompt,
        "bytes": sum(size for _, size in parts),
        "sizes": [{"part": part, "bytes": size} for part, size in parts],
    }
