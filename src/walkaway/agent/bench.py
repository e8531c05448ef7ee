"""Where a tool call is carried out: parsed, judged, run, bounded; all of it in the tools' own thread."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from walkaway.agent.policy import Refuse, judge
from walkaway.agent.tool import AnyTool, Prepared, Site, ToolRefused, bounded
from walkaway.agent.tools import offered
from walkaway.core.grant import Grant


class GarbageCall(ToolRefused):
    """No tool could even be asked: an unknown name, or arguments that do not fit."""


class Bench:
    """The tools of one conversation, at their place."""

    def __init__(self, grant: Grant, site: Site, redact: Callable[[str], str], *, beside: Sequence[str] = ()) -> None:
        """Offer what the grant allows; outputs too long to show are kept whole, but without secrets.

        ``beside`` are the calls that others answer; they are named where an unknown one was made.
        """
        self._grant = grant
        self._site = site
        self._redact = redact
        self._kept = 0
        self._beside = beside
        self.tools = {tool.name: tool for tool in offered(grant)}

    def secretive(self, text: str) -> bool:
        """Whether a text holds what looks like a secret, or is known to be one."""
        return self._redact(text) != text

    def run(self, name: str, arguments: str) -> str:
        """Carry out one call and return what to tell the model; raise `ToolRefused` or `ToolFailed`."""
        tool = self.tools.get(name)
        if tool is None:
            message = f"There is no tool '{name}' here. There are: {', '.join([*self.tools, *self._beside])}."
            raise GarbageCall(message)
        prepared = _prepared(tool, arguments, self._site)
        verdict = judge(self._grant, prepared.call, (str(self._site.outputs), str(self._site.scratch)))
        if isinstance(verdict, Refuse):
            raise ToolRefused(verdict.why)
        return bounded(prepared.run(), self._keep)

    def _keep(self, text: str) -> str:
        """Put a long output into a file of its own and return its path."""
        self._kept += 1
        self._site.outputs.mkdir(parents=True, exist_ok=True)
        path = Path(self._site.outputs, f"{self._kept:04}.txt")
        path.write_text(self._redact(text), encoding="utf-8", errors="replace")
        return str(path)


def _prepared(tool: AnyTool, arguments: str, site: Site) -> Prepared:
    try:
        return tool.prepare(arguments, site)
    except ValidationError as error:
        raise GarbageCall(misfit(tool.name, tool.schema(), error)) from error


def misfit(name: str, schema: dict[str, object], error: ValidationError) -> str:
    """Return what is wrong with the arguments of a call, in words for the model."""
    wrong = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}" for each in error.errors())
    return f"These arguments do not fit '{name}': {wrong}. Its parameters: {json.dumps(schema)}"
