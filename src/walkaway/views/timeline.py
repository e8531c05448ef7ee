"""The journal for people: one line an entry."""

from collections.abc import Mapping
from datetime import UTC, datetime

_TELLING = (
    *("dispatch", "unit", "kind", "target", "attempt", "title", "task", "slice"),
    *("why", "summary", "verdict", "answer", "branch"),
)
_MOST = 160


def line(at: float, scope: str, kind: str, fact: Mapping[str, object]) -> str:
    """Return an entry as one line: when, where, what, and what is most telling about it."""
    when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return f"{when}  {scope:<5} {kind:<20} {gist(fact)}".rstrip()


def gist(fact: Mapping[str, object]) -> str:
    """Return what is most telling about a fact, not longer than a line."""
    flat = _flat(fact)
    words = [str(flat[name]) for name in _TELLING if flat.get(name)]
    text = " ".join("  ".join(words).split())
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


def _flat(fact: Mapping[str, object]) -> dict[str, object]:
    """Return the plain fields of a fact, and those of the one value that it may wrap."""
    flat: dict[str, object] = {}
    for name, value in fact.items():
        if isinstance(value, Mapping):
            flat.update({str(inner): each for inner, each in value.items() if isinstance(each, str | int | float)})
        elif isinstance(value, str | int | float):
            flat[name] = value
    for name in ("command", "result", "text"):
        if name in flat:
            flat["why"] = f"{flat.get('why', '')} {flat[name]}".strip()
    return flat
