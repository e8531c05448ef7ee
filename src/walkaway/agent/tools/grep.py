"""Find lines by a regular expression."""

import re
import sys

from pydantic import Field

from walkaway import proc
from walkaway.agent.globs import regex
from walkaway.agent.tool import KEPT_BYTES, Parameters, Site, Tool, ToolFailed, ToolRefused
from walkaway.agent.tools import scan
from walkaway.core.grant import Effect

MOST = 200
TIMEOUT_S = 60.0
_BAD_PATTERN = 2


class Grep(Parameters):
    """What to look for, and where."""

    pattern: str = Field(description="Python regular expression")
    path: str = "."
    glob: str = Field(default="", description="only files like this, e.g. *.py")


def run(given: Grep, site: Site) -> str:
    """Return ``path:line:text`` of the matches; the search runs in a process that can be ended."""
    root = site.real(given.path)
    if not root.exists():
        message = f"There is no file or folder {site.show(root)}."
        raise ToolRefused(message)
    wanted = regex(given.glob) if given.glob else ".*"
    try:
        re.compile(wanted)
        done = proc.run(
            [sys.executable, "-I", "-S", scan.__file__, str(root), given.pattern, wanted, str(MOST)],
            site.cwd,
            timeout_s=TIMEOUT_S,
            limit_bytes=KEPT_BYTES,
            cancel=site.cancel,
        )
    except re.error as error:
        message = f"{given.glob!r} is no glob: {error}"
        raise ToolRefused(message) from error
    except (OSError, ValueError) as error:
        message = f"The search could not be started: {error}"
        raise ToolFailed(message) from error
    if done.exit_code == _BAD_PATTERN or done.timed_out:
        raise ToolRefused(done.stderr or f"The search took longer than {TIMEOUT_S:.0f} s: use a simpler pattern.")
    if done.exit_code != 0:
        message = f"The search ended with {done.exit_code}: {done.stderr[-500:]}"
        raise ToolFailed(message)
    return done.output.rstrip("\n") or "[no line matches]"


TOOL = Tool(
    name="grep",
    description="Search files for a regular expression; prints path:line:text, relative to `path`.",
    parameters=Grep,
    effect=Effect.READ,
    run=run,
    path=lambda given: given.path,
)
