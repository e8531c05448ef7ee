"""Run a command in the working directory, in a process group that ends with it."""

import shutil
from collections.abc import Mapping

from pydantic import Field

from walkaway import proc
from walkaway.agent.tool import KEPT_BYTES, Parameters, Site, Tool, ToolFailed
from walkaway.core.grant import Effect

LONGEST_S = 900


class Bash(Parameters):
    """A command line."""

    command: str
    timeout_s: int = Field(default=120, ge=1, le=LONGEST_S)


def run(given: Bash, site: Site) -> str:
    """Return what it printed, both streams as one, and how it ended where that was not well."""
    shell = shutil.which("bash") or "/bin/sh"
    try:
        with site.guard(str(site.cwd)):
            done = proc.run(
                [shell, "-c", given.command],
                site.cwd,
                _environment(site),
                float(given.timeout_s),
                limit_bytes=KEPT_BYTES,
                cancel=site.cancel,
                merge=True,
            )
    except (OSError, ValueError) as error:
        message = f"The command could not be started: {error}"
        raise ToolFailed(message) from error
    return _told(done, given.timeout_s)


def _told(done: proc.Done, timeout_s: int) -> str:
    output = done.output.rstrip("\n")
    if done.timed_out:
        return f"{output}\n[killed after {timeout_s} s]"
    if done.exit_code:
        return f"{output}\n[exit code {done.exit_code}]"
    return output or "[no output, exit code 0]"


def _environment(site: Site) -> Mapping[str, str]:
    """Return ours without secrets, with a HOME of its own, and nothing that would wait for a person."""
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat", "PAGER": "cat", "TERM": "dumb", "HOME": str(site.scratch)}
    quiet["PYTHONDONTWRITEBYTECODE"] = "1"  # else every worktree of a Python project is kept for its caches
    return {**proc.scrub(proc.environment()), **quiet}


TOOL = Tool(
    name="bash",
    description=(
        "Run a command in the working directory; no input, killed with all it started at the time-out or its end. "
        "Do not commit: the engine does."
    ),
    parameters=Bash,
    effect=Effect.SHELL,
    run=run,
    command=lambda given: given.command,
)
