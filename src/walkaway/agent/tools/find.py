"""Find files by the shape of their path."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from walkaway.agent.globs import regex
from walkaway.agent.tool import Parameters, Site, Tool, ToolRefused
from walkaway.agent.tools.scan import SKIPPED
from walkaway.core.grant import Effect

MOST = 1000


class Find(Parameters):
    """A glob, and where to look."""

    pattern: str = Field(description="glob such as *.py or src/**/test_*.py")
    path: str = "."


def run(given: Find, site: Site) -> str:
    """Return the matching files, sorted, relative to the working directory."""
    root = site.real(given.path)
    if not root.is_dir():
        message = f"There is no folder {site.show(root)}."
        raise ToolRefused(message)
    try:
        wanted = re.compile(regex(given.pattern))
    except re.error as error:
        message = f"{given.pattern!r} is no glob: {error}"
        raise ToolRefused(message) from error
    found: list[str] = []
    for path in _files(root, site):
        if wanted.fullmatch(path.relative_to(root).as_posix()):
            found.append(site.show(path))
        if len(found) > MOST:
            return "\n".join(found[:MOST]) + f"\n[more than {MOST}: use a narrower pattern]"
    return "\n".join(found) or "[no file matches]"


def _files(root: Path, site: Site) -> Iterator[Path]:
    """Walk in a fixed order, without following links; end early once cancelled."""
    for folder, folders, names in os.walk(root):
        if site.cancel.is_set():
            return
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        yield from (Path(folder, name) for name in sorted(names))


TOOL = Tool(
    name="find",
    description="Find files by glob (** crosses folders); skips .git, node_modules and the like.",
    parameters=Find,
    effect=Effect.READ,
    run=run,
    path=lambda given: given.path,
)
