"""What the files of a milestone look like: the original's formats, so that its readers can read ours.

Rule: equal snapshots give equal bytes; nothing but the snapshot and its long texts goes in.
"""

from collections.abc import Mapping

from walkaway.core.ids import TextHash, short
from walkaway.core.model import (
    MilestoneStatus,
    Slice,
    SliceStatus,
    Snapshot,
    Task,
    TaskStatus,
)
from walkaway.core.plan.quality import OF_PLAN
from walkaway.core.plan.scope import scope_of
from walkaway.projection.findings import render_findings, thought
from walkaway.projection.foundation import render_start
from walkaway.projection.stamp import stamped
from walkaway.projection.summary import milestone_summary, said, slice_summary, task_summary
from walkaway.projection.text import bullets, code, document, front_matter, line, section


def render(s: Snapshot, texts: Mapping[TextHash, str] | None = None) -> dict[str, str]:
    """Return the files of one milestone by path under the view folder; ``texts`` holds what `needed` names."""
    m = s.milestone
    found = texts or {}
    files = {
        f"{m.id}-CONTEXT.md": _context(s, found),
        **render_start(s, found),
        **render_findings(s, found),
    }
    if s.slices:
        files[f"{m.id}-ROADMAP.md"] = _roadmap(s)
    for slice_ in s.slices.values():
        files.update(_slice_files(s, slice_))
    if m.status is MilestoneStatus.COMPLETE:
        files[f"{m.id}-SUMMARY.md"] = milestone_summary(s)
    return {path: stamped(text, m.id) for path, text in files.items() if text}


def _slice_files(s: Snapshot, slice_: Slice) -> dict[str, str]:
    tasks = s.tasks_of(slice_.id)
    if not tasks:
        return {}
    name = short(slice_.id)
    folder = f"{s.milestone.id}/slices/{name}"
    files = {f"{folder}/{name}-PLAN.md": _slice_plan(s, slice_, tasks)}
    if slice_.status is SliceStatus.COMPLETE:
        files[f"{folder}/{name}-SUMMARY.md"] = slice_summary(s, slice_)
    for task in tasks:
        files[f"{folder}/tasks/{short(task.id)}-PLAN.md"] = _task_plan(task)
        if task.status is TaskStatus.COMPLETE:
            files[f"{folder}/tasks/{short(task.id)}-SUMMARY.md"] = task_summary(s, task)
    return files


def _context(s: Snapshot, texts: Mapping[TextHash, str]) -> str:
    given = texts.get(s.milestone.context, "").strip()
    title = "" if not given or given.startswith("# ") else f"# {s.milestone.id}: {line(s.milestone.title)}"
    return document(title, given, thought(s, texts))


def _roadmap(s: Snapshot) -> str:
    m, scope = s.milestone, scope_of(s)
    return document(
        f"# {m.id}: {line(m.title)}",
        f"**Vision:** {line(m.vision)}\n**Scope:** {scope.kind}, because {line(scope.why)}",
        section("Success Criteria", bullets(m.criteria)),
        section("Slices", "\n\n".join(_roadmap_slice(x) for x in s.slices.values())),
    )


def _roadmap_slice(slice_: Slice) -> str:
    box = "x" if slice_.status is SliceStatus.COMPLETE or slice_.aside == "skipped" else " "
    depends = ",".join(short(d) for d in slice_.depends)
    told = f"- [{box}] **{short(slice_.id)}: {line(slice_.title)}** `risk:{slice_.risk}` `depends:[{depends}]`"
    return f"{told}\n  > After this: {line(slice_.demo)}" if slice_.demo.strip() else told


def _slice_plan(s: Snapshot, slice_: Slice, tasks: tuple[Task, ...]) -> str:
    touched = dict.fromkeys(path for task in tasks for path in task.files)
    verified = dict.fromkeys(code(task.verify) for task in tasks if task.verify)
    head = f"**Goal:** {line(slice_.goal)}"
    if slice_.demo.strip():
        head = f"{head}\n**Demo:** {line(slice_.demo)}"
    return document(
        f"# {short(slice_.id)}: {line(slice_.title)}",
        head,
        section("Must-Haves", bullets(slice_.must_haves, empty="- The goal above is met.")),
        *said(s, slice_.id, OF_PLAN),
        section("Verification", bullets(verified, empty="- The project's checks pass.")),
        section("Tasks", "\n\n".join(_planned(task) for task in tasks)),
        section("Files Likely Touched", bullets(touched)),
    )


def _planned(task: Task) -> str:
    box = "x" if task.inactive else " "
    lines = [f"- [{box}] **{short(task.id)}: {line(task.title)}**"]
    if first := line(task.description.strip().partition("\n\n")[0]):
        lines.append(f"  {first}")
    if task.files:
        lines.append(f"  - Files: {', '.join(code(path) for path in task.files)}")
    if task.verify:
        lines.append(f"  - Verify: {line(task.verify)}")
    return "\n".join(lines)


def _task_plan(task: Task) -> str:
    steps = len([each for each in task.description.splitlines() if each.strip()])
    matter = front_matter(
        [
            ("estimated_steps", str(max(steps, 1))),
            ("estimated_files", str(max(len(task.files), 1))),
            ("skills_used", "[]"),
        ]
    )
    return document(
        matter,
        f"# {short(task.id)}: {line(task.title)}",
        task.description,
        section("Inputs", "- None specified."),
        section("Expected Output", bullets(map(code, task.files), empty="- What the description asks for.")),
        section("Verification", line(task.verify) or "The project's checks pass."),
    )
