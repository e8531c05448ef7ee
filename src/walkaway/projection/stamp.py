"""The mark that every projection bears: whose state it shows, and at which revision.

Rule: the stamp is the only thing that is ever read back from a projection.
"""

import re
from dataclasses import dataclass

_WORDS = "printed from walkaway's database; edits are lost"
_STAMP = re.compile(r"<!-- (?P<scope>\S+)(?: rev (?P<rev>\d+))?: " + re.escape(_WORDS) + r" -->\n")
_FRONT_MATTER = re.compile(r"---\n.*?\n---\n", re.DOTALL)

HEAD_CHARACTERS = 20_000
"""Far enough to find the stamp behind any front matter."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """The milestone whose state a file shows ("*": the project) and its revision."""

    scope: str
    rev: int


def stamped(text: str, scope: str) -> str:
    """Return ``text`` with a stamp without a revision: as its first line, or the first after a front matter."""
    found = _FRONT_MATTER.match(text)
    at = found.end() if found else 0
    gap = "\n" if found else ""
    return f"{text[:at]}{gap}<!-- {scope}: {_WORDS} -->\n{text[at:] if found else chr(10) + text}"


def with_revision(text: str, rev: int) -> str:
    """Return a stamped text with its revision filled in."""
    return _STAMP.sub(lambda found: f"<!-- {found['scope']} rev {rev}: {_WORDS} -->\n", text, count=1)


def stamp_of(text: str) -> Stamp | None:
    """Return the stamp of a printed file; None where it has none, whoever wrote it."""
    found = _STAMP.search(text, 0, HEAD_CHARACTERS)
    return Stamp(found["scope"], int(found["rev"] or 0)) if found else None


def unstamped(text: str) -> str:
    """Return what a file says, apart from its revision."""
    return with_revision(text, 0)
