"""Long texts made to fit into a brief: cut where that is said, shortened evenly, never left out in silence."""

from collections.abc import Iterable

LINES_MOST = 5_000
"""Bytes of a list with one line for each slice or task of the milestone, however many there are."""

SHORTEST_LINE = 60


def bullets(lines: Iterable[str]) -> str:
    """Return a markdown list; "- none" where there is nothing."""
    return "\n".join(f"- {line}" for line in lines) or "- none"


def tail(text: str, most: int) -> str:
    """Return the last ``most`` bytes of ``text``, saying how much was left out."""
    raw = text.encode()
    if len(raw) <= most:
        return text
    return f"[{len(raw) - most} bytes left out]\n{raw[-most:].decode(errors='ignore')}"


def head(text: str, most: int) -> str:
    """Return the first ``most`` bytes of ``text``, saying how much was left out."""
    raw = text.encode()
    if len(raw) <= most:
        return text
    return f"{raw[:most].decode(errors='ignore')}\n[{len(raw) - most} bytes left out]"


def line(text: str, most: int) -> str:
    """Return ``text`` as one line of at most ``most`` bytes."""
    raw = " ".join(text.split()).encode()
    return raw.decode() if len(raw) <= most else f"{raw[: most - 3].decode(errors='ignore')}…"


def fit(lines: Iterable[str], most: int = LINES_MOST) -> str:
    """Return the lines, all shortened to the same length where together they are more than ``most`` bytes."""
    whole = list(lines)
    longest = max((len(text.encode()) for text in whole), default=0)
    while longest > SHORTEST_LINE and sum(min(len(text.encode()), longest) + 1 for text in whole) > most:
        longest = longest * 9 // 10
    return "\n".join(line(text, longest) for text in whole)
