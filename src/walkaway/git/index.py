"""Look into a checkout's index without a process: whether something in it needs a decision.

What is read is what gitformat-index(5) promises of versions 2 and 3; of anything else nothing is claimed.
"""

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path

_HEADER = struct.Struct(">4sII")
_READABLE = frozenset({2, 3})
_MOST_BYTES = 16 * 1024 * 1024
_MODE_AT, _OBJECT_AT = 24, 40
_SHA1_BYTES = 20
_STAGE, _EXTENDED = 0x3000, 0x4000
_GITLINK = 0o160000
_SHARED = (b"link", b"sdir")
"""Extensions that put entries elsewhere, or whole folders into one entry."""


def ordinary(index: Path, sha: str, ours: str) -> bool:
    """Whether an index surely holds nothing but decided files: no conflict, no repository, nothing of our folder.

    ``sha`` is any commit's name, for its length; False also means: it cannot be told, ask git.
    """
    if not index.is_file() or index.stat().st_size > _MOST_BYTES:
        return False
    try:
        return _ordinary(index.read_bytes(), _OBJECT_AT + len(sha) // 2, ours.encode())
    except (struct.error, ValueError):
        return False  # cut off: git will say so better


def contents(index: Path) -> str:
    """Return a digest of what an index says of files, not of when git last looked at them; "" where there is none."""
    if not index.is_file():
        return ""
    data = index.read_bytes()
    try:
        said = b"".join(_said(data)) or data
    except (struct.error, ValueError):
        said = data
    return hashlib.sha256(said).hexdigest()


def _said(data: bytes) -> Iterator[bytes]:
    """Yield mode, object, flags and name of each entry; nothing where the form is another."""
    signature, version, count = _HEADER.unpack_from(data)
    if signature != b"DIRC" or version not in _READABLE:
        return
    at = _HEADER.size
    for _ in range(count):
        wide = _OBJECT_AT + _SHA1_BYTES
        (flags,) = struct.unpack_from(">H", data, at + wide)
        end = data.index(b"\0", at + wide + (4 if flags & _EXTENDED else 2))
        yield data[at + _MODE_AT : at + _MODE_AT + 4] + data[at + _OBJECT_AT : end + 1]
        at += (end - at) // 8 * 8 + 8


def _ordinary(data: bytes, wide: int, folder: bytes) -> bool:
    signature, version, count = _HEADER.unpack_from(data)
    if signature != b"DIRC" or version not in _READABLE:
        return False
    at = _HEADER.size
    for _ in range(count):
        (mode,) = struct.unpack_from(">I", data, at + _MODE_AT)
        (flags,) = struct.unpack_from(">H", data, at + wide)
        begin = at + wide + (4 if flags & _EXTENDED else 2)
        end = data.index(b"\0", begin)
        if flags & _STAGE or mode == _GITLINK or data[begin:end].split(b"/", 1)[0] == folder:
            return False
        at += (end - at) // 8 * 8 + 8
    return not any(mark in data[at:] for mark in _SHARED)
