"""Search files for a regular expression; run as a program of its own, so that a bad pattern can be killed.

Imports the standard library only. Arguments: root, pattern, regular expression of the relative path, most matches.
"""

import os
import re
import sys
from collections.abc import Iterator

SKIPPED = frozenset({".git", ".hg", ".walkaway", ".venv", "node_modules", "__pycache__", ".mypy_cache", ".tox"})
_MOST_BYTES = 4 << 20
_LONGEST_LINE = 300


def matches(root: str, pattern: "re.Pattern[str]", wanted: "re.Pattern[str]") -> Iterator[str]:
    """Yield ``path:line:text`` of every matching line, in a fixed order; binary and huge files are skipped."""
    for path in _files(root):
        relative = os.path.relpath(path, root) if path != root else os.path.basename(path)
        if not wanted.fullmatch(relative.replace(os.sep, "/")):
            continue
        shown = path if path == root else relative
        for number, line in enumerate(_lines(path), 1):
            if pattern.search(line):
                yield f"{shown}:{number}:{line[:_LONGEST_LINE]}"


def _files(root: str) -> Iterator[str]:
    if os.path.isfile(root):
        yield root
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        yield from (os.path.join(folder, name) for name in sorted(names))


def _lines(path: str) -> list[str]:
    if not os.path.isfile(path) or os.path.islink(path) or os.path.getsize(path) > _MOST_BYTES:
        return []
    try:
        with open(path, "rb") as file:
            data = file.read()
    except PermissionError:
        return [f"[{path} cannot be read]"]
    return [] if b"\0" in data[:8192] else data.decode(errors="replace").splitlines()


def main(root: str, pattern: str, wanted: str, most: str) -> int:
    """Print the matches; exit with 2 and a reason where the pattern is none."""
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        sys.stderr.write(f"{pattern!r} is no regular expression: {error}")
        return 2
    for count, line in enumerate(matches(root, compiled, re.compile(wanted))):
        if count == int(most):
            sys.stdout.write(f"[more than {most} matches: narrow the pattern, path or glob]\n")
            break
        sys.stdout.buffer.write(line.encode(errors="replace") + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
