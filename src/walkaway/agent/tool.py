"""What a tool is: a name, a parameter model, an effect and a function; and how much of its output is shown."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from walkaway.agent.policy import Call
from walkaway.core.grant import Effect

MOST_BYTES = 16_384
MOST_LINES = 400
KEPT_BYTES = 1 << 20
"""Most of one output that is kept at all."""


def real(path: str) -> Path:
    """Return the absolute path with every link and ``..`` resolved."""
    return Path(path).resolve()


class ToolError(Exception):
    """A call that did nothing; its text is told to the model."""


class ToolRefused(ToolError):
    """The call is wrong as it is: try it differently."""


class ToolFailed(ToolError):
    """The tool is broken: do not repeat the call."""


class Parameters(BaseModel):
    """Base of a tool's parameters: strict about names, so that a misspelt one is told to the model."""

    model_config = ConfigDict(extra="forbid", frozen=True)


P = TypeVar("P", bound=Parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where tools work: real directories, and the event that tells them to stop.

    ``scratch`` is a private HOME for commands, ``outputs`` where long outputs are kept whole. ``guard`` is entered
    around every command that runs and may raise to end the conversation.
    """

    cwd: Path
    scratch: Path
    outputs: Path
    cancel: threading.Event
    guard: Callable[[str], AbstractContextManager[None]]

    def real(self, path: str) -> Path:
        """Return the absolute path with every link and ``..`` resolved; what is missing at its end may be missing."""
        try:
            return (self.cwd / path).resolve()
        except (OSError, RuntimeError, ValueError) as error:
            message = f"{path!r} is no usable path: {error}"
            raise ToolRefused(message) from error

    def show(self, path: Path) -> str:
        """Return a path as the model knows it: relative to the working directory where it lies inside."""
        return str(path.relative_to(self.cwd)) if path.is_relative_to(self.cwd) else str(path)


def _nothing(_: Parameters) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A call that can be judged, and then run."""

    call: Call
    run: Callable[[], str]


class AnyTool(Protocol):
    """A tool, whatever its parameters are."""

    @property
    def name(self) -> str:
        """What the model calls it."""
        ...

    @property
    def description(self) -> str:
        """What the model is told about it."""
        ...

    @property
    def effect(self) -> Effect:
        """What it does to the world."""
        ...

    def prepare(self, arguments: str, site: Site) -> Prepared:
        """Return the call that these JSON arguments make."""
        ...

    def schema(self) -> dict[str, object]:
        """Return the JSON schema of its parameters."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool(Generic[P]):
    """One thing a model can do. ``run`` returns text, or raises `ToolRefused` or `ToolFailed`.

    ``path`` and ``command`` tell the policy what the parameters aim at; ``run`` is called only after the policy
    allowed it, in a thread of its own kind, and must end soon once ``site.cancel`` is set.
    """

    name: str
    description: str
    parameters: type[P]
    effect: Effect
    run: Callable[[P, Site], str]
    path: Callable[[P], str] = _nothing
    command: Callable[[P], str] = _nothing

    def prepare(self, arguments: str, site: Site) -> Prepared:
        """Return the call that these JSON arguments make; raise pydantic's `ValidationError` where they make none."""
        given = self.parameters.model_validate_json(arguments)
        path = self.path(given)
        call = Call(
            tool=self.name,
            effect=self.effect,
            cwd=str(site.cwd),
            path=str(site.real(path)) if path else "",
            command=self.command(given),
        )
        return Prepared(call=call, run=lambda: self.run(given, site))

    def schema(self) -> dict[str, object]:
        """Return the JSON schema of the parameters, without the titles that nobody reads."""
        return untitled(self.parameters.model_json_schema())


def untitled(schema: dict[str, object]) -> dict[str, object]:
    """Drop pydantic's generated titles and descriptions taken from docstrings of the classes."""
    slim: dict[str, object] = {key: value for key, value in schema.items() if key not in {"title", "description"}}
    properties = slim.get("properties")
    if isinstance(properties, dict):
        slim["properties"] = {
            name: {key: value for key, value in each.items() if key != "title"}
            for name, each in properties.items()
            if isinstance(each, dict)
        }
    return slim


# ---- how much of an output a model is shown -----------------------------------------------------------------------


def bounded(text: str, keep: Callable[[str], str]) -> str:
    """Return ``text``, or its head and tail where it is too long, naming the file that ``keep`` put the whole into."""
    lines = text.splitlines(keepends=True)
    if len(lines) <= MOST_LINES and len(text.encode()) <= MOST_BYTES:
        return text
    where = keep(text)
    head = clip("".join(lines[: MOST_LINES // 2]), MOST_BYTES // 2)
    tail = clip("".join(lines[max(MOST_LINES // 2, len(lines) - MOST_LINES // 2) :]), MOST_BYTES // 2, end=True)
    left_out = len(text) - len(head) - len(tail)
    note = f"[... {left_out} of {len(text)} characters ({len(lines)} lines) left out; all of it: {where} ...]"
    return f"{head}\n{note}\n{tail}"


def clip(text: str, size: int, *, end: bool = False) -> str:
    """Return at most ``size`` bytes from the start (or the ``end``) of ``text``, whole characters only."""
    data = text.encode()
    if len(data) <= size:
        return text
    return (data[-size:] if end else data[:size]).decode(errors="ignore")
