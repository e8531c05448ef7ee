"""Rows and journal entries <-> core values, by the fields of their classes.

A class that is also a table has one field per column. Scalars map to themselves, enumerations and booleans to text and
numbers, everything else to JSON. `UPCASTERS` turns journal entries of older versions into today's.
"""

import json
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, TypeVar

from walkaway.core.errors import Refused
from walkaway.core.model import Dispatch, Evidence, Milestone, Question, Slice, Task
from walkaway.store.driver import Cell, Row

T = TypeVar("T")
E = TypeVar("E")
Table = tuple[str, type[Any]]

MILESTONES: Table = ("milestones", Milestone)
COLLECTIONS: Mapping[str, Table] = {
    "slices": ("slices", Slice),
    "tasks": ("tasks", Task),
    "dispatches": ("unit_dispatches", Dispatch),
    "questions": ("questions", Question),
    "evidence": ("evidence", Evidence),
}
"""Field of `Snapshot` -> its table and class."""

UPCASTERS: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""Event type -> a function that turns an older body into today's; entries are added for ever, never removed."""


@cache
def columns(cls: type[Any]) -> tuple[str, ...]:
    """Return the columns that hold a value of this class, in the order of its fields."""
    return tuple(f.name for f in fields(cls))


@cache
def _kinds(cls: type[Any]) -> tuple[tuple[str, Any, bool], ...]:
    """Return (name, type, whether the cell is JSON) for each field."""
    return tuple((f.name, _plain(f.type), _is_json(_plain(f.type))) for f in fields(cls))


def _plain(kind: Any) -> Any:
    """Return what a NewType stands for."""
    while isinstance(kind, typing.NewType):
        kind = kind.__supertype__
    return kind


def _is_json(kind: Any) -> bool:
    if typing.get_origin(kind) in {typing.Union, UnionType}:
        return any(_is_json(_plain(k)) for k in typing.get_args(kind) if k is not type(None))
    return not (isinstance(kind, type) and issubclass(kind, str | int | float | Enum))


def to_row(value: Any) -> dict[str, Cell]:
    """Return the cells of a value, by column."""
    row: dict[str, Cell] = {}
    for name, _, is_json in _kinds(type(value)):
        cell = getattr(value, name)
        if is_json:
            row[name] = dumps(cell)
        elif isinstance(cell, Enum):
            row[name] = cell.value
        else:
            row[name] = int(cell) if isinstance(cell, bool) else cell
    return row


def from_row(cls: type[T], row: Row) -> T:
    """Return the value whose cells are ``row``, in the order of `columns`."""
    values: dict[str, Any] = {}
    for (name, kind, is_json), cell in zip(_kinds(cls), row, strict=True):
        if is_json:
            values[name] = decode(kind, json.loads(str(cell)))
        elif kind is str or kind is float or cell is None:
            values[name] = cell
        else:
            values[name] = kind(cell) if isinstance(kind, type) else cell
    return cls(**values)


def dumps(value: Any) -> str:
    """Return ``value`` as compact JSON, always the same bytes for equal values."""
    return json.dumps(encode(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def encode(value: Any) -> Any:
    """Return ``value`` as what JSON knows."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [encode(v) for v in value]
    return value


def decode(kind: Any, raw: Any) -> Any:
    """Return the value of type ``kind`` that `encode` made ``raw`` from; raise `Refused` if it is none."""
    kind = _plain(kind)
    origin = typing.get_origin(kind)
    if origin is tuple:
        return tuple(decode(typing.get_args(kind)[0], item) for item in raw)
    if origin in {typing.Union, UnionType}:
        if raw is None:
            return None
        return decode(next(k for k in typing.get_args(kind) if k is not type(None)), raw)
    if is_dataclass(kind):
        known = {f.name: f.type for f in fields(kind)}
        if unknown := set(raw) - set(known):
            raise Refused(f"A stored {kind.__name__} has unknown fields: {', '.join(sorted(unknown))}.")
        return kind(**{name: decode(known[name], item) for name, item in raw.items()})
    return kind(raw) if isinstance(kind, type) and issubclass(kind, Enum) else raw


@cache
def _event_classes() -> Mapping[str, type[Any]]:
    from walkaway.core import events  # noqa: PLC0415 - `query` reads rows only and never pays for the events

    return {cls.__name__: cls for cls in typing.get_args(events.Event)}


def clean(text: str) -> str:
    """Return ``text`` as both databases can hold it: no NUL, no lone surrogate. Doing it twice changes nothing."""
    return text.replace("\x00", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode()


def storable(event: E) -> E:
    """Return ``event`` with every text in it `clean`."""
    cleaned: E = _cleaned(event)
    return cleaned


def _cleaned(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Enum):
        return clean(value)
    if isinstance(value, tuple):
        return tuple(_cleaned(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _cleaned(getattr(value, f.name)) for f in fields(value)})
    return value


def event_to_entry(event: Any) -> tuple[str, str]:
    """Return the type and body under which the journal keeps an event."""
    return type(event).__name__, dumps(event)


def event_from_entry(kind: str, body: str) -> Any:
    """Return the event of a journal entry; raise `Refused` for a type that this version does not know."""
    cls = _event_classes().get(kind)
    if cls is None:
        raise Refused(f"The journal holds an event '{kind}' that this walkaway does not know; upgrade it.")
    raw = json.loads(body)
    if kind in UPCASTERS:
        raw = UPCASTERS[kind](raw)
    return decode(cls, raw)
