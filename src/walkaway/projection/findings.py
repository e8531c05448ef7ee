"""What units found out and judged, and what people threw in: one file for each thing that it is about.

A trial and a reassessment of the same slice share a file, as in the original's layout, but never overwrite each other.
"""

import json
from collections.abc import Iterator, Mapping, Sequence

from walkaway.core.ids import TextHash, short
from walkaway.core.model import MilestoneStatus, Note, Slice, Snapshot
from walkaway.core.plan import wish
from walkaway.core.plan.quality import OF_MILESTONE
from walkaway.core.plan.scope import Kind, scope_of
from walkaway.projection.text import bullets, cell, document, front_matter, line, section, time

RESEARCH_OF_MILESTONE, RESEARCH_OF_SLICE = "research-milestone", "research-slice"
THOUGHT, TRIED, REASSESSED, VALIDATED = "discuss-milestone", "run-uat", "reassess-roadmap", "validate-milestone"

Texts = Mapping[TextHash, str]
Said = Mapping[str, object]
"""The report of a unit, as it is stored."""


def wanted(s: Snapshot) -> tuple[TextHash, ...]:
    """Return the texts that the files of this milestone's notes are made of."""
    of_milestone = (s.note(kind, s.milestone.id) for kind in (THOUGHT, RESEARCH_OF_MILESTONE, VALIDATED))
    of_slices = (s.note(kind, x.id) for x in s.slices.values() for kind in (RESEARCH_OF_SLICE, TRIED, REASSESSED))
    return tuple(note.report for note in (*of_milestone, *of_slices) if note)


def render_findings(s: Snapshot, texts: Texts) -> dict[str, str]:
    """Return the files by path; one whose text is not in ``texts`` is left out."""
    m = s.milestone
    files = {
        f"{m.id}-RESEARCH.md": _research(s, texts, RESEARCH_OF_MILESTONE, m.id),
        f"{m.id}-VALIDATION.md": _validation(s, texts),
        f"{m.id}-CAPTURES.md": _captures(s),
        f"{m.id}-OVERRIDES.md": _overrides(s),
    }
    for slice_ in s.slices.values():
        name = short(slice_.id)
        place = f"{m.id}/slices/{name}/{name}"
        files[f"{place}-RESEARCH.md"] = _research(s, texts, RESEARCH_OF_SLICE, slice_.id)
        files[f"{place}-ASSESSMENT.md"] = _assessment(s, texts, slice_)
        files[f"{place}-REPLAN.md"] = _replan(s, slice_)
    return {path: text for path, text in files.items() if text.strip()}


def thought(s: Snapshot, texts: Texts) -> str:
    """Return what was written about the milestone beside its specification; "" where nothing was."""
    if (said := _said(texts, s.note(THOUGHT, s.milestone.id))) is None:
        return ""
    parts = (
        section("Context", _text(said, "context")),
        section("Assumptions", bullets(_list(said, "assumptions"))),
        section("Open Questions", bullets(_list(said, "questions"))),
    )
    return document(*parts) if any(parts) else ""


def _research(s: Snapshot, texts: Texts, kind: str, target: str) -> str:
    note = s.note(kind, target)
    if note is None or (said := _said(texts, note)) is None:
        return ""
    each = said.get("slices")
    own = next((x for x in each if x["slice"] == short(target)), said) if isinstance(each, list) else said
    return document(
        f"# {short(target)} — Research",
        f"**Date:** {time(note.at)}",
        section("Summary", note.summary),
        section("Implementation Landscape", _text(own, "findings")),
    )


def _assessment(s: Snapshot, texts: Texts, slice_: Slice) -> str:
    tried, reassessed = s.note(TRIED, slice_.id), s.note(REASSESSED, slice_.id)
    parts = []
    if tried and (said := _said(texts, tried)) is not None:
        parts += list(_trial(slice_, tried, said))
    if reassessed:
        parts += list(_reassessed(s, slice_, reassessed))
    return document(*parts) if parts else ""


def _reassessed(s: Snapshot, slice_: Slice, note: Note) -> Iterator[str]:
    name = short(slice_.id)
    yield f"# {name} Assessment"
    yield (
        f"**Milestone:** {s.milestone.id}\n**Slice:** {name}\n**Completed Slice:** {name}\n"
        f"**Verdict:** roadmap-{note.verdict}\n**Created:** {time(note.at)}"
    )
    yield section("Assessment", note.summary)


def _trial(slice_: Slice, note: Note, said: Said) -> Iterator[str]:
    verdict, result = note.verdict.upper(), "PASS" if note.verdict == "pass" else "—"
    fields = (
        ("sliceId", short(slice_.id)),
        ("uatType", "artifact-driven"),
        ("verdict", verdict),
        ("date", time(note.at)),
    )
    rows = [f"| {cell(step)} | artifact | {result} | |" for step in _list(said, "steps")]
    yield front_matter(fields)
    yield f"# UAT Result — {short(slice_.id)}"
    yield section("Checks", "\n".join(["| Check | Mode | Result | Notes |", "|---|---|---|---|", *rows]))
    yield section("Overall Verdict", f"{verdict} — {line(note.summary)}")


def _validation(s: Snapshot, texts: Texts) -> str:
    m, note = s.milestone, s.note(VALIDATED, s.milestone.id)
    title = f"# Milestone Validation: {m.id}"
    if note and (said := _said(texts, note)) is not None:
        return document(_verdict(note.verdict, _rounds(s)), title, *_sections(note, said))
    if m.status is MilestoneStatus.COMPLETE and m.verdict == "skipped":
        why = "trivial-scope" if scope_of(s).kind is Kind.TRIVIAL else "preference"
        skipped = (("skip_validation", "true"), ("skip_validation_reason", why))
        return document(_verdict("pass", 0, *skipped), title, "It was left out.")
    return ""


def _verdict(verdict: str, rounds: int, *more: tuple[str, str]) -> str:
    return front_matter((("verdict", verdict), ("remediation_round", str(rounds)), *more))


def _rounds(s: Snapshot) -> int:
    """Return how often something was missing before the last validation."""
    earlier = [note for note in s.notes.values() if note.kind == VALIDATED][:-1]
    return sum(note.verdict == "needs-remediation" for note in earlier)


def _sections(note: Note, said: Said) -> Iterator[str]:
    missing = note.verdict == "needs-remediation"
    box = "" if missing else "[x] "
    yield section("Success Criteria Checklist", bullets(f"{box}{each}" for each in _list(said, "criteria")))
    answers = said.get("gates")
    found = {str(x["gate"]): x for x in answers} if isinstance(answers, list) else {}
    for asked in OF_MILESTONE[1:]:
        if (answer := found.get(asked.id)) and answer["verdict"] != "omitted":
            yield section(asked.title, f"{answer['verdict']}: {line(str(answer['findings']))}")
    yield section("Verdict Rationale", _text(said, "rationale"))
    slices = said.get("slices")
    if missing and isinstance(slices, list):
        yield section("Remediation Plan", bullets((str(x["title"]) for x in slices), empty="No slice can bring it."))


def _replan(s: Snapshot, slice_: Slice) -> str:
    gone = [task for task in s.tasks_of(slice_.id) if task.aside == "replaced"]
    if not gone:
        return ""
    return document(
        f"# {short(slice_.id)} Replan",
        f"**Milestone:** {s.milestone.id}\n**Slice:** {short(slice_.id)}",
        section("What Changed", bullets(f"{short(t.id)} {t.title} was replaced: {t.aside_why}" for t in gone)),
    )


def _captures(s: Snapshot) -> str:
    found = [_capture(s, note) for note in s.notes.values() if note.kind == wish.CAPTURE]
    return document("# Captures", *found) if found else ""


def _capture(s: Snapshot, note: Note) -> str:
    became = s.note(wish.TRIAGE, note.id)
    told = f"### CAP-{note.id}\n\n**Text:** {line(note.summary)}\n**Captured:** {time(note.at)}\n"
    if became is None:
        return f"{told}**Status:** pending"
    return (
        f"{told}**Status:** resolved\n**Classification:** {line(became.verdict)}\n"
        f"**Rationale:** {line(became.summary)}\n**Resolved:** {time(became.at)}"
    )


def _overrides(s: Snapshot) -> str:
    found = [
        f"## Override: {time(note.at)}\n\n**Change:** {line(note.summary)}\n"
        f"**Scope:** {'resolved' if s.note(wish.REWRITE, note.id) else 'active'}\n**Applied-at:** {note.target}\n\n---"
        for note in wish.overrides(s)
    ]
    return document("# Overrides", "---", *found) if found else ""


# ---- a report, as it is stored ------------------------------------------------------------------------------------


def _said(texts: Texts, note: Note | None) -> Said | None:
    text = texts.get(note.report) if note else None
    return json.loads(text) if text else None


def _text(said: Said, name: str) -> str:
    found = said.get(name, "")
    return found.strip() if isinstance(found, str) else ""


def _list(said: Said, name: str) -> Sequence[str]:
    found = said.get(name, ())
    return [str(each) for each in found] if isinstance(found, list) else ()
