"""The journal for people: one line an entry."""

import json
from datetime import UTC, datetime

_TELLING = ("target", "unit", "attempt", "title", "task", "slice", "why", "summary", "verdict", "answer", "branch")
_MOST = 160


def line(at: float, scope: str, kind: str, body: str) -> str:
    """Return an entry as one line: when, where, what, and what is most telling about it."""
    when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return f"{when}  {scope:<5} {kind:<20} {gist(body)}".rstrip()


def gist(body: str) -> str:
    """Return what is most telling about a fact, not longer than a line."""
    found: object = json.loads(body)
    flat = _flat(found)
    words = [str(flat[name]) for name in _TELLING if flat.get(name)]
    text = " ".join("  ".join(words).split())
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


def _flat(fact: object) -> dict[str, object]:
    """Return the fields of a fact, and those of the one value that it may wrap."""
    if not isinstance(fact, dict):
        return {}
    flat: dict[str, object] = {}
    for name, value in fact.items():
        if isinstance(value, dict):
            flat.update({str(inner): each for inner, each in value.items() if not isinstance(each, dict | list)})
        elif not isinstance(value, list):
            flat[str(name)] = value
    for name in ("command", "result", "text"):
        if name in flat:
            flat["why"] = f"{flat.get('why', '')} {flat[name]}".strip()
    return flat
