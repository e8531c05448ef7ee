"""The summaries: what was done, and what the runner saw when it checked it."""

from collections.abc import Sequence

from walkaway.core.ids import short
from walkaway.core.model import (
    Dispatch,
    DispatchStatus,
    Evidence,
    Phase,
    Result,
    Slice,
    Snapshot,
    Task,
)
from walkaway.core.plan.quality import OF_MILESTONE, OF_SLICE, OF_TASK, Asked, answers
from walkaway.core.verdict import excused, passed
from walkaway.projection.text import (
    bullets,
    cell,
    code,
    document,
    duration,
    front_matter,
    line,
    scalar,
    section,
    time,
)

NONE = "None."

VERDICTS = {
    Result.PASS: "✅ pass",
    Result.FAIL: "❌ fail",
    Result.TIMEOUT: "❌ timed out",
    Result.CANNOT_RUN: "⚠️ could not run",
    Result.NO_CHECK: "— no check",
}


def task_summary(s: Snapshot, task: Task) -> str:
    """Return a finished task's summary, with the evidence of the run that was accepted."""
    done = _accepted(s, "execute-task", task.id)
    seen = _evidence(s, done)
    slice_, _, _ = task.id.rpartition("/")
    matter = front_matter(
        [
            ("id", short(task.id)),
            ("parent", short(slice_)),
            ("milestone", s.milestone.id),
            ("key_files", task.key_files),
            ("key_decisions", ()),
            ("duration", duration(done.ended_at - done.claimed_at) if done else ""),
            ("verification_result", _verified(seen)),
            ("completed_at", time(task.completed_at)),
            ("blocker_discovered", "false"),
        ]
    )
    return document(
        matter,
        f"# {short(task.id)}: {line(task.title)}",
        f"**{line(task.summary)}**",
        section("What Happened", task.narrative or NONE),
        section("Verification", _told(task)),
        section("Verification Evidence", _table(seen)),
        section("Deviations", NONE),
        section("Known Issues", NONE),
        section("Files Created/Modified", bullets((code(path) for path in task.key_files), empty=NONE)),
        *said(s, task.id, OF_TASK),
    )


def slice_summary(s: Snapshot, slice_: Slice) -> str:
    """Return a finished slice's summary."""
    tasks = s.tasks_of(slice_.id)
    files = tuple(dict.fromkeys(path for task in tasks for path in task.key_files))
    matter = front_matter(
        [
            ("id", short(slice_.id)),
            ("parent", s.milestone.id),
            ("milestone", s.milestone.id),
            ("provides", (slice_.demo,) if slice_.demo else ()),
            ("requires", tuple({"slice": short(d), "provides": s.slices[d].demo} for d in slice_.depends)),
            ("affects", tuple(short(x.id) for x in s.slices.values() if slice_.id in x.depends)),
            ("key_files", files),
            ("key_decisions", ()),
            ("patterns_established", ()),
            ("observability_surfaces", ()),
            ("drill_down_paths", tuple(f"tasks/{short(task.id)}-SUMMARY.md" for task in tasks)),
            ("duration", ""),
            ("verification_result", "passed" if all(t.verified == "passed" for t in tasks) else "untested"),
            ("completed_at", time(slice_.completed_at)),
            ("blocker_discovered", "false"),
        ]
    )
    return document(
        matter,
        f"# {short(slice_.id)}: {line(slice_.title)}",
        f"**{line(slice_.demo or slice_.goal)}**",
        section("What Happened", slice_.summary or NONE),
        section("Verification", _table(_evidence(s, _accepted(s, "complete-slice", slice_.id)))),
        *(
            section(title, NONE)
            for title in (
                "Requirements Advanced",
                "Requirements Validated",
                "New Requirements Surfaced",
                "Requirements Invalidated or Re-scoped",
            )
        ),
        *(said(s, slice_.id, OF_SLICE) or (section(OF_SLICE[0].title, NONE),)),
        *(section(title, NONE) for title in ("Deviations", "Known Limitations", "Follow-ups")),
        section("Files Created/Modified", bullets((_changed(t, p) for t in tasks for p in t.key_files), empty=NONE)),
    )


def milestone_summary(s: Snapshot) -> str:
    """Return a finished milestone's summary."""
    m = s.milestone
    files = tuple(dict.fromkeys(path for task in s.tasks.values() for path in task.key_files))
    matter = front_matter(
        [
            ("id", m.id),
            ("title", scalar(m.title)),
            ("status", "complete"),
            ("completed_at", time(m.completed_at)),
            ("key_decisions", ()),
            ("key_files", files),
            ("lessons_learned", ()),
        ]
    )
    integration = [e for e in s.evidence.values() if e.phase is Phase.INTEGRATION and e.tree == m.commit_sha]
    return document(
        matter,
        f"# {m.id}: {line(m.title)}",
        f"**{line(m.vision or m.title)}**",
        section("What Happened", m.summary or NONE),
        section("Success Criteria Results", bullets(m.criteria, empty=NONE)),
        section("Definition of Done Results", f"Validation: {line(m.verdict)}\n\n{_table(integration)}"),
        *said(s, m.id, OF_MILESTONE),
        section("Requirement Outcomes", NONE),
        section("Deviations", NONE),
        section("Follow-ups", NONE),
    )


def said(s: Snapshot, target: str, questions: Sequence[Asked]) -> tuple[str, ...]:
    """Return a section for each question about quality that was answered; none for those left out."""
    return tuple(
        section(each.title, f"{note.kind} {note.verdict}: {line(note.summary)}")
        for each, note in answers(s, target, questions)
    )


def _accepted(s: Snapshot, kind: str, target: str) -> Dispatch | None:
    """Return the run of a unit that was accepted."""
    runs = (d for d in s.dispatches.values() if (d.unit, d.target) == (kind, target))
    return next((d for d in runs if d.status is DispatchStatus.COMPLETED), None)


def _evidence(s: Snapshot, dispatch: Dispatch | None) -> list[Evidence]:
    return [e for e in s.evidence.values() if dispatch and e.dispatch_id == dispatch.id]


def _verified(seen: list[Evidence]) -> str:
    looked = [e for e in seen if e.result is not Result.NO_CHECK]
    if not looked:
        return "untested"
    return "passed" if all(passed(e) for e in looked) else "mixed"


def _told(task: Task) -> str:
    if task.verified == "passed":
        return "walkaway ran the project's checks on this commit; see the evidence."
    return "Nothing was verified: the project has no check that could be run."


def _table(seen: list[Evidence]) -> str:
    rows = ["| # | Command | Exit Code | Verdict | Duration |", "|---|---------|-----------|---------|----------|"]
    rows.extend(
        f"| {n} | {cell(code(e.command))} | {'—' if e.exit_code is None else e.exit_code} "
        f"| {_verdict(e)} | {e.duration_ms}ms |"
        for n, e in enumerate(seen, 1)
    )
    if not seen:
        rows.append("| — | No command was run. | — | — | — |")
    return "\n".join(rows)


def _verdict(e: Evidence) -> str:
    return f"⚠️ {e.known} known failures" if excused(e) else VERDICTS[e.result]


def _changed(task: Task, path: str) -> str:
    return f"{code(path)} — {line(task.summary)}"
