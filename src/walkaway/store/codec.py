"""Rows and journal entries <-> core values, by the fields of their classes.

A class that is also a table has one field per column. Scalars map to themselves, enumerations and booleans to text and
numbers, everything else to JSON. `UPCASTERS` turns journal entries of older versions into today's.
"""

import json
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache, lru_cache, partial
from types import UnionType
from typing import Any, TypeVar

from walkaway.core.errors import Refused
from walkaway.core.model import Dispatch, Evidence, Milestone, Note, Question, Slice, Task
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
    "notes": ("notes", Note),
}
"""Field of `Snapshot` -> its table and class."""

UPCASTERS: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""Event type -> a function that turns an older body into today's; entries are added for ever, never removed."""


@cache
def columns(cls: type[Any]) -> tuple[str, ...]:
    """Return the columns that hold a value of this class, in the order of its fields."""
    return tuple(f.name for f in fields(cls))


@cache
def _writers(cls: type[Any]) -> tuple[tuple[str, Callable[[Any], Cell] | None], ...]:
    """Return for each field how its cell is made of it; None where it is the cell."""
    return tuple((f.name, _writer(_plain(f.type))) for f in fields(cls))


def _writer(kind: Any) -> Callable[[Any], Cell] | None:
    if _is_json(kind):
        return dumps
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _value
    return {bool: int, str: str}.get(kind)  # str: a member of a StrEnum is not always taken for its text


def _value(member: Enum) -> Cell:
    cell: Cell = member.value
    return cell


@cache
def _readers(cls: type[Any]) -> tuple[tuple[str, Callable[[Any], Any] | None], ...]:
    """Return for each field how it is made of its cell; None where it is the cell."""
    return tuple((f.name, _reader(_plain(f.type))) for f in fields(cls))


def _reader(kind: Any) -> Callable[[Any], Any] | None:
    if _is_json(kind):
        return partial(_loads, kind)
    if isinstance(kind, type) and issubclass(kind, Enum | bool):
        return kind
    return None


@lru_cache(maxsize=1024)
def _loads(kind: Any, text: str) -> Any:
    return decode(kind, json.loads(text))


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
    return {
        name: getattr(value, name) if write is None else write(getattr(value, name))
        for name, write in _writers(type(value))
    }


def from_row(cls: type[T], row: Row) -> T:
    """Return the value whose cells are ``row``, in the order of `columns`."""
    return cls(
        **{name: cell if read is None else read(cell) for (name, read), cell in zip(_readers(cls), row, strict=True)}
    )


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
    from walkaway.core.fleet import pause  # noqa: PLC0415
    from walkaway.core.registers import facts  # noqa: PLC0415

    unions = (events.Event, pause.ControlEvent, facts.RegisterEvent)
    return {c.__name__: c for union in unions for c in typing.get_args(union)}


def clean(text: str) -> str:
    """Return ``text`` as both databases can hold it: no NUL, no lone surrogate. Doing it twice changes nothing."""
    return text.replace("\x00", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode()


def storable(event: E) -> tuple[E, str]:
    """Return ``event`` with every text in it `clean`, and the body under which the journal keeps it."""
    body = dumps(event)
    if "\\u0000" not in body and (body.isascii() or _is_clean(body)):
        return event, body
    cleaned: E = _cleaned(event)
    return cleaned, dumps(cleaned)


def _is_clean(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cleaned(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Enum):
        return clean(value)
    if isinstance(value, tuple):
        return tuple(_cleaned(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _cleaned(getattr(value, f.name)) for f in fields(value)})
    return value


def event_from_entry(kind: str, body: str) -> Any:
    """Return the event of a journal entry; raise `Refused` for a type that this version does not know."""
    cls = _event_classes().get(kind)
    if cls is None:
        raise Refused(f"The journal holds an event '{kind}' that this walkaway does not know; upgrade it.")
    raw = json.loads(body)
    if kind in UPCASTERS:
        raw = UPCASTERS[kind](raw)
    return decode(cls, raw)
