"""Look at a file, a part at a time."""

import re

from pydantic import Field

from walkaway.agent.tool import MOST_BYTES, MOST_LINES, Parameters, Site, Tool, ToolRefused, clip
from walkaway.agent.tools.files import text_of
from walkaway.core.grant import Effect

PAGE_LINES, PAGE_BYTES = MOST_LINES - 1, MOST_BYTES - 200
"""A page and the note after it are never shortened again."""


class Read(Parameters):
    """Which lines of which file."""

    path: str
    offset: int = Field(default=1, ge=1, description="first line, from 1")
    limit: int = Field(default=PAGE_LINES, ge=1, le=PAGE_LINES)


def run(given: Read, site: Site) -> str:
    """Return the lines as they are, and a note where the file goes on."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text_of(site.real(given.path), site))
    if not lines:
        return "[the file is empty]"
    if given.offset > len(lines):
        message = f"{given.path} has only {len(lines)} lines."
        raise ToolRefused(message)
    wanted = lines[given.offset - 1 : given.offset - 1 + given.limit]
    shown = clip("".join(wanted), PAGE_BYTES)
    whole = shown.count("\n") if len(shown) < len("".join(wanted)) else len(wanted)
    last = given.offset - 1 + whole
    if whole == 0:
        return f"{shown}\n[line {given.offset} is longer than what can be shown; use grep or a command]"
    if last >= len(lines):
        return shown
    kept = "".join(wanted[:whole])
    return f"{kept}[lines {given.offset}-{last} of {len(lines)}; go on with offset={last + 1}]"


TOOL = Tool(
    name="read",
    description="Read a text file. Long files come in parts: a note says with which offset to go on.",
    parameters=Read,
    effect=Effect.READ,
    run=run,
    path=lambda given: given.path,
)
