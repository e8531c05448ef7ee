"""Put projections on disk: only what changed, each file whole or not at all, never an older state over a newer."""

import os
from collections.abc import Mapping

from walkaway.projection.stamp import stamp_of, unstamped, with_revision


def write(view: str, files: Mapping[str, str], rev: int) -> tuple[str, ...]:
    """Write ``files``, as rendered at revision ``rev``, under the folder ``view``; return the paths written.

    A file that says the same already stays untouched, and so does one that shows a later revision of the same
    milestone. A file of that name which is not ours is replaced: the folder is walkaway's own.
    """
    written = []
    for path, text in files.items():
        target = os.path.join(view, path)
        if _is_due(target, text, rev):
            _replace(target, with_revision(text, rev))
            written.append(path)
    return tuple(written)


def _is_due(target: str, text: str, rev: int) -> bool:
    try:
        with open(target, encoding="utf-8", errors="replace") as source:
            present = source.read()
    except FileNotFoundError:
        return True
    was, new = stamp_of(present), stamp_of(text)
    if was and new and was.scope == new.scope and was.rev > rev:
        return False
    return unstamped(present) != unstamped(text)


def _replace(target: str, text: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    fresh = f"{target}.{os.getpid()}.tmp"
    with open(fresh, "w", encoding="utf-8", newline="\n") as sink:
        sink.write(text)
    os.replace(fresh, target)
