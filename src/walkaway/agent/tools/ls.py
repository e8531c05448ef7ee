"""Look into a folder."""

import os

from walkaway.agent.tool import Parameters, Site, Tool, ToolFailed, ToolRefused
from walkaway.core.grant import Effect

MOST = 1000


class Ls(Parameters):
    """Which folder."""

    path: str = "."


def run(given: Ls, site: Site) -> str:
    """Return the names in it, folders with a slash, sorted."""
    path = site.real(given.path)
    try:
        with os.scandir(path) as entries:
            names = sorted(entry.name + "/" * entry.is_dir() for entry in entries)
    except (FileNotFoundError, NotADirectoryError) as error:
        message = f"There is no folder {site.show(path)}."
        raise ToolRefused(message) from error
    except OSError as error:
        message = f"{site.show(path)} cannot be listed: {error}"
        raise ToolFailed(message) from error
    more = f"\n[{len(names) - MOST} more]" if len(names) > MOST else ""
    return "\n".join(names[:MOST]) + more or "[the folder is empty]"


TOOL = Tool(
    name="ls",
    description="List a folder.",
    parameters=Ls,
    effect=Effect.READ,
    run=run,
    path=lambda given: given.path,
)
