"""Where an agent hands in its report: schema and form are judged here, at once, in words for the model."""

import json
from collections.abc import Callable
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from walkaway.core.brief import Desk, SideTool
from walkaway.core.model import Snapshot
from walkaway.core.unit import UnitType
from walkaway.store.codec import dumps

R = TypeVar("R")
F = TypeVar("F")
MOST_FAULTS = 5


class ReportDesk(Generic[R]):
    """The desk of one dispatch; it accepts one report."""

    def __init__(self, unit: UnitType[R], snapshot: Snapshot, target: str) -> None:
        """Judge reports of ``unit`` about ``target`` as of ``snapshot``."""
        self._adapter: TypeAdapter[R] = TypeAdapter(unit.report)
        self._judge: Callable[[R], str] = lambda report: unit.check(snapshot, target, report)
        self.accepted = ""
        """The accepted report as canonical JSON; empty until then."""

    def desk(self, tools: tuple[SideTool, ...] = ()) -> Desk:
        """Return the side of it that the agent sees."""
        schema = self._adapter.json_schema()
        return Desk(schema=dumps_schema(schema), submit=self.submit, tools=tools)

    def submit(self, raw: str) -> str:
        """Take a report as JSON text; return "" if it is accepted, else what is wrong with it."""
        try:
            report = self._adapter.validate_json(raw)
        except ValidationError as error:
            return _faults(error)
        if wrong := self._judge(report):
            return wrong
        self.accepted = dumps(report)
        return ""


def schema_of(form: type[object]) -> str:
    """Return the JSON schema of the arguments of a side tool."""
    schema: dict[str, object] = TypeAdapter(form).json_schema()
    return dumps_schema({key: value for key, value in schema.items() if key != "description"})


def parsed(form: type[F], raw: str) -> tuple[F | None, str]:
    """Read the arguments of a side tool; with "" they fit, else they are None and it is said what is wrong."""
    try:
        return TypeAdapter(form).validate_json(raw, extra="forbid"), ""
    except ValidationError as error:
        return None, _faults(error, "The arguments do not fit.")


def dumps_schema(schema: object) -> str:
    """Return a JSON schema as text, without the titles that pydantic adds: they cost tokens and say nothing."""
    return json.dumps(_without_titles(schema), separators=(",", ":"))


def _without_titles(node: object) -> object:
    if isinstance(node, dict):
        return {
            key: _named(value) if key == "properties" else _without_titles(value)
            for key, value in node.items()
            if key != "title"
        }
    return [_without_titles(item) for item in node] if isinstance(node, list) else node


def _named(properties: object) -> object:
    """Keep a property that happens to be called ``title``."""
    if not isinstance(properties, dict):
        return properties
    return {name: _without_titles(value) for name, value in properties.items()}


def _faults(error: ValidationError, what: str = "The report does not fit its schema.") -> str:
    told = [
        f"{'.'.join(str(part) for part in fault['loc']) or 'report'}: {fault['msg']}"
        for fault in error.errors(include_url=False, include_input=False)[:MOST_FAULTS]
    ]
    return f"{what} {'; '.join(told)}"
