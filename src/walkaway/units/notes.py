"""What units write down for those that come after them: taken once, read by many."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from walkaway.core.ids import TextHash, short
from walkaway.core.model import Snapshot
from walkaway.core.unit import Accepting
from walkaway.units import sections

if TYPE_CHECKING:
    from walkaway.core.events import NoteTaken

FINDINGS_MOST = 8_000
"""Bytes of a report's findings: they are part of later briefs, which have a limit of their own."""


def wrong(summary: str, findings: str) -> str:
    """Return what is wrong with findings, in words for the model, or ""."""
    if empty := sections.blank(summary=summary, findings=findings):
        return empty
    size = len(findings.encode())
    return f"`findings` has {size} bytes; at most {FINDINGS_MOST}." if size > FINDINGS_MOST else ""


def taken(
    s: Snapshot, target: str, by: Accepting, *, summary: str, verdict: str = "", kind: str = "", before: int = 0
) -> "NoteTaken":
    """Return the fact that this dispatch's report is a note; its id follows from the snapshot.

    ``kind``: what it is where it is no whole report; ``before``: how many notes the same report leaves before it.
    """
    from walkaway.core.events import NoteTaken  # noqa: PLC0415 - kept off the query path
    from walkaway.core.model import Note  # noqa: PLC0415

    number = len(s.notes) + before + 1
    note = Note(
        id=f"{s.milestone.id}-N{number}",
        kind=kind or by.dispatch.unit,
        target=target,
        verdict=verdict,
        summary=sections.line(summary, 600),
        report=by.dispatch.report,
    )
    return NoteTaken(note=note)


def needed(s: Snapshot, *about: tuple[str, str]) -> tuple[TextHash, ...]:
    """Return the texts of the latest notes about each (kind, target), for `findings`."""
    return tuple(note.report for kind, target in about if (note := s.note(kind, target)))


def findings(s: Snapshot, texts: Mapping[TextHash, str], kind: str, target: str, title: str) -> str:
    """Return a note's findings under a heading; "" where there is no such note.

    A report about several slices says of each what was found.
    """
    note = s.note(kind, target)
    if note is None or note.report not in texts:
        return ""
    said = json.loads(texts[note.report])
    own = next((each for each in said.get("slices", ()) if each["slice"] == short(target)), said)
    return f"## {title}\n\n{own['findings'].strip()}"
