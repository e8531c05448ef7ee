"""What later briefs are told of the project: what it is, and what was found out about its field."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from walkaway.core.asking import gates
from walkaway.core.ids import TextHash
from walkaway.core.model import Snapshot
from walkaway.core.plan import project, start
from walkaway.core.unit import Accepting
from walkaway.units import notes, sections

if TYPE_CHECKING:
    from walkaway.core.events import Event

PROJECT_MOST = 4_000
"""Bytes of PROJECT in a brief, and of all that was found out."""
RESEARCH_MOST = 4_000

TOLD_MOST = PROJECT_MOST + RESEARCH_MOST + 500
"""Bytes of both, with their headings."""


def drafted(s: Snapshot, by: Accepting, *, summary: str, told: str) -> "list[Event]":
    """Return that a draft was written, and the gate at which a person confirms it; one that waits already stays."""
    from walkaway.core.derive import ask  # noqa: PLC0415 - kept off the query path
    from walkaway.core.events import QuestionRaised  # noqa: PLC0415

    facts: list[Event] = [notes.taken(s, s.milestone.id, by, summary=summary)]
    gate = start.gate(start.DRAFTS[by.dispatch.unit])
    asked = gates.last(s, gate)
    if asked is None or not asked.open:  # a person may have opened it meanwhile
        facts.append(QuestionRaised(question=ask(s, by.dispatch.key, gates.wanted(gate, told))))
    return facts


def draft(s: Snapshot, unit: str) -> tuple[TextHash, ...]:
    """Return the text of a draft that a person did not confirm, for `unconfirmed`."""
    note = s.note(unit, s.milestone.id)
    return (note.report,) if note else ()


def unconfirmed(s: Snapshot, unit: str, texts: Mapping[TextHash, str], most: int) -> str:
    """Return the draft that a person did not confirm; "" where there is none."""
    note = s.note(unit, s.milestone.id)
    if note is None or note.report not in texts:
        return ""
    anew = "A person did not confirm this draft. Write it anew; their words, where there are any, stand above."
    return f"## The last draft\n\n{anew}\n\n{sections.head(texts[note.report].strip(), most)}"


def needed(s: Snapshot) -> tuple[TextHash, ...]:
    """Return the texts of what stands for the project, for `told`."""
    found = (start.settled(s, kind) for kind in (start.PROJECT, start.RESEARCH))
    return tuple(note.report for note in found if note)


def told(s: Snapshot, texts: Mapping[TextHash, str]) -> str:
    """Return what the project is and what was found out about it; "" where it was not planned in depth."""
    return "\n\n".join(part for part in (_project(s, texts), _research(s, texts)) if part)


def _project(s: Snapshot, texts: Mapping[TextHash, str]) -> str:
    note = start.settled(s, start.PROJECT)
    if note is None or note.report not in texts:
        return ""
    parts = project.parts(json.loads(texts[note.report]))
    body = "\n\n".join(f"### {title}\n\n{text}" for title, text in parts)
    return f"## The project\n\n{sections.head(body, PROJECT_MOST)}"


def _research(s: Snapshot, texts: Mapping[TextHash, str]) -> str:
    note = start.settled(s, start.RESEARCH)
    if note is None or note.report not in texts:
        return ""
    said = json.loads(texts[note.report])
    each = RESEARCH_MOST // len(start.PARTS)
    found = [(name, said[name]["findings"].strip() or f"Not known: {said[name]['blocker']}") for name in start.PARTS]
    body = "\n\n".join(f"### {name.capitalize()}\n\n{sections.head(text, each)}" for name, text in found)
    return f"## What was found out about its field\n\n{body}"


def requirements(s: Snapshot, texts: Mapping[TextHash, str]) -> str:
    """Return what the project has to do, one line each; "" where that is not settled."""
    note = start.settled(s, start.REQUIREMENTS)
    if note is None or note.report not in texts:
        return ""
    listed = json.loads(texts[note.report])["requirements"]
    lines = (f"- {each['description']} ({each['kind']}, {each['status']})" for each in listed)
    return f"## What it has to do\n\n{sections.fit(lines)}"
