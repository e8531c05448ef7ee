"""Every tool that an agent may be offered, in the order in which a model sees them."""

from walkaway.agent.tool import AnyTool
from walkaway.agent.tools import bash, edit, find, grep, ls, read, write
from walkaway.core.grant import Grant

TOOLS: tuple[AnyTool, ...] = (
    read.TOOL,
    write.TOOL,
    edit.TOOL,
    bash.TOOL,
    grep.TOOL,
    find.TOOL,
    ls.TOOL,
)


def offered(grant: Grant) -> tuple[AnyTool, ...]:
    """Return the tools whose effect the grant allows; the others are not even mentioned."""
    return tuple(tool for tool in TOOLS if tool.effect in grant.effects)
