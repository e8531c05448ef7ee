"""How much of an output a model is shown, and the words for what was left out."""

from collections.abc import Callable

MOST_BYTES = 16_384
MOST_LINES = 400
KEPT_BYTES = 4 << 20
"""Most of one output that is kept at all."""


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
