"""Replace one piece of a file, found by its exact text."""

from walkaway.agent.tool import Parameters, Site, Tool, ToolRefused
from walkaway.agent.tools.files import put, text_of
from walkaway.core.grant import Effect


class Edit(Parameters):
    """What stands there, and what shall stand there."""

    path: str
    old: str
    new: str


def run(given: Edit, site: Site) -> str:
    """Replace ``old`` by ``new`` where it occurs exactly once; else change nothing and say how often it occurs."""
    path = site.real(given.path)
    text = text_of(path, site)
    if not given.old or given.old == given.new:
        message = "`old` must not be empty, and `new` must differ from it."
        raise ToolRefused(message)
    times = text.count(given.old)
    if times != 1:
        hint = (
            "copy it exactly, spaces and line ends included" if times == 0 else "add lines around it until it is unique"
        )
        message = f"`old` occurs {times} times in {site.show(path)}: {hint}. Nothing was changed."
        raise ToolRefused(message)
    put(path, text.replace(given.old, given.new), site)
    line = text[: text.index(given.old)].count("\n") + 1
    return f"Edited {site.show(path)} at line {line}."


TOOL = Tool(
    name="edit",
    description="Replace the text `old`, which must occur exactly once in the file, by `new`.",
    parameters=Edit,
    effect=Effect.WRITE,
    run=run,
    path=lambda given: given.path,
)
