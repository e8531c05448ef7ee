"""PROJECT.md and the files of a project's research: what the milestone that settled them last shows for all.

A part that nothing was found out about is a file that says why.
"""

import json
from collections.abc import Mapping

from walkaway.core.ids import TextHash
from walkaway.core.model import Snapshot
from walkaway.core.plan import project, start
from walkaway.projection.findings import wanted
from walkaway.projection.text import document, section


def needed(s: Snapshot) -> tuple[TextHash, ...]:
    """Return the texts that the files of this milestone are made of, its specification first."""
    found = (start.own(s, kind) for kind in (start.PROJECT, start.RESEARCH))
    return (s.milestone.context, *(note.report for note in found if note), *wanted(s))


def render_start(s: Snapshot, texts: Mapping[TextHash, str]) -> dict[str, str]:
    """Return the files of the project's start, where this milestone settled it and no later one did."""
    return {**_project(s, texts), **_research(s, texts)}


def _project(s: Snapshot, texts: Mapping[TextHash, str]) -> dict[str, str]:
    note = start.own(s, start.PROJECT)
    if note is None or not texts.get(note.report):
        return {}
    parts = project.parts(json.loads(texts[note.report]))
    return {"PROJECT.md": document("# Project", *(section(title, body) for title, body in parts))}


def _research(s: Snapshot, texts: Mapping[TextHash, str]) -> dict[str, str]:
    note = start.own(s, start.RESEARCH)
    if note is None or not texts.get(note.report):
        return {}
    said = json.loads(texts[note.report])
    files = {}
    for name in start.PARTS:
        title, part = f"# {name.capitalize()}", said[name]
        found = part["findings"].strip()
        path = f"research/{name.upper()}{'' if found else '-BLOCKER'}.md"
        files[path] = document(title, found or f"Nothing was found out: {part['blocker'].strip()}")
    return files
