"""Commits and trees read from git's own files: what was just sealed lies there, and looking costs no process.

Rule: None means: ask git (the object is packed, or borrowed from another repository).
"""

import zlib
from collections.abc import Iterator
from pathlib import Path

from walkaway.core.ids import Sha

_FOLDER = b"40000"
_Entry = tuple[bytes, bytes]
"""Mode and object of one name in a tree."""


def changed(common: Path, one: Sha, other: Sha) -> tuple[str, ...] | None:
    """Return the paths that differ between two commits, or None."""
    try:
        paths = _differing(common, _tree_of(common, one), _tree_of(common, other), b"")
        return tuple(sorted(path.decode(errors="surrogateescape") for path in paths))
    except FileNotFoundError:
        return None


def _differing(common: Path, one: bytes, other: bytes, folder: bytes) -> Iterator[bytes]:
    """Yield the paths below ``folder`` that differ between two trees; an empty name stands for no tree."""
    if one == other:
        return
    before, after = _entries(common, one), _entries(common, other)
    for name in {*before, *after}:
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        path = folder + name
        folders = [entry[1] if entry and entry[0] == _FOLDER else b"" for entry in (old, new)]
        if any(folders):
            yield from _differing(common, folders[0], folders[1], path + b"/")
        if any(entry and entry[0] != _FOLDER for entry in (old, new)):
            yield path


def _tree_of(common: Path, commit: Sha) -> bytes:
    body = _read(common, commit.encode(), b"commit ")
    return bytes.fromhex(body.split(b"\n", 1)[0].removeprefix(b"tree ").decode())


def _entries(common: Path, tree: bytes) -> dict[bytes, _Entry]:
    if not tree:
        return {}
    body, found, at = _read(common, tree.hex().encode(), b"tree "), dict[bytes, _Entry](), 0
    while at < len(body):
        mode, _, name = body[at : (end := body.index(b"\0", at))].partition(b" ")
        at = end + 1 + len(tree)
        found[name] = mode, body[end + 1 : at]
    return found


def _read(common: Path, name: bytes, kind: bytes) -> bytes:
    """Return the content of an object; `FileNotFoundError` where it has no file of its own."""
    text = name.decode()
    head, _, body = zlib.decompress((common / "objects" / text[:2] / text[2:]).read_bytes()).partition(b"\0")
    if not head.startswith(kind):
        raise FileNotFoundError(text)
    return body
