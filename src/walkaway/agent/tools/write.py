"""Make or replace a file."""

from walkaway.agent.tool import Parameters, Site, Tool
from walkaway.agent.tools.files import put
from walkaway.core.grant import Effect


class Write(Parameters):
    """The whole new content of a file."""

    path: str
    content: str


def run(given: Write, site: Site) -> str:
    """Write it, with the folders it needs."""
    path = site.real(given.path)
    put(path, given.content, site)
    return f"Wrote {len(given.content.encode(errors='surrogatepass'))} bytes to {site.show(path)}."


TOOL = Tool(
    name="write",
    description="Create a file or replace all of it; makes parent folders. Prefer edit for small changes.",
    parameters=Write,
    effect=Effect.WRITE,
    run=run,
    path=lambda given: given.path,
)
