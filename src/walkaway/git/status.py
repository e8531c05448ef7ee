"""What lies in a checkout: read from git's own porcelain, version 2, never from words meant for people."""

from collections.abc import Iterator
from dataclasses import dataclass

from walkaway.core.ids import NO_SHA, Sha

GITLINK = "160000"
STATUS = ("status", "--porcelain=v2", "--branch", "-z", "--no-renames", "--no-ahead-behind")
_MODES = {"1": (3, 5, 8), "2": (3, 5, 9), "u": (3, 6, 10)}
"""Per kind of line: which fields hold the modes (HEAD's, …, the file's), and which is the path."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One path that is not as in HEAD. ``kind`` is git's: 1 and 2 changed, u unmerged, ? untracked, ! ignored."""

    kind: str
    path: str
    xy: str = ".."
    modes: tuple[str, ...] = ()

    @property
    def repository(self) -> bool:
        """Whether it is a git repository of its own that HEAD does not know."""
        if self.kind == "?":
            return self.path.endswith("/")
        return bool(self.modes) and self.modes[0] != GITLINK and GITLINK in self.modes[1:]


@dataclass(frozen=True, slots=True)
class Status:
    """One checkout at one instant. ``head`` is "" before the first commit, ``branch`` "" where none is checked out."""

    head: Sha
    branch: str
    entries: tuple[Entry, ...]

    @property
    def own(self) -> tuple[Entry, ...]:
        """All but what git was told to ignore."""
        return tuple(entry for entry in self.entries if entry.kind != "!")

    @property
    def ignored(self) -> tuple[str, ...]:
        """What git was told to ignore; a folder ends with a slash."""
        return tuple(entry.path for entry in self.entries if entry.kind == "!")

    @property
    def unmerged(self) -> tuple[str, ...]:
        """Paths that two sides changed, and nobody has decided."""
        return tuple(entry.path for entry in self.entries if entry.kind == "u")

    @property
    def repositories(self) -> tuple[str, ...]:
        """Repositories of their own that lie in the checkout."""
        return tuple(entry.path.rstrip("/") for entry in self.entries if entry.repository)


def parse(output: str) -> Status:
    """Read the output of `STATUS`."""
    head, branch = NO_SHA, ""
    entries: list[Entry] = []
    fields = iter(output.split("\0"))
    for line in fields:
        if line.startswith("# branch.oid "):
            head = Sha(line.removeprefix("# branch.oid ").replace("(initial)", ""))
        elif line.startswith("# branch.head "):
            branch = line.removeprefix("# branch.head ")
        elif line and not line.startswith("#"):
            entries.append(_entry(line, fields))
    return Status(head, "" if branch == "(detached)" else branch, tuple(entries))


def _entry(line: str, rest: Iterator[str]) -> Entry:
    """Read one line; a renamed path has its old name in the next field."""
    kind = line[0]
    if kind not in _MODES:
        return Entry(kind, line[2:])
    first, last, path = _MODES[kind]
    if kind == "2":
        next(rest)
    parts = line.split(" ", path)
    return Entry(kind, parts[path], parts[1], tuple(parts[first : last + 1]))
