"""Do one task: the only unit whose purpose is to change the project."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.grant import BUILDING
from walkaway.core.ids import TaskId, TextHash, UnitKey, slice_of
from walkaway.core.model import SliceStatus, Snapshot, Task
from walkaway.core.plan.quality import OF_TASK, asked
from walkaway.core.unit import DECIDING, Accepting, Judged, UnitType
from walkaway.units import quality, sections, steps

if TYPE_CHECKING:
    from walkaway.core.events import Event

MOST_REPLANS = 3
"""So often a slice is planned anew before a person is asked."""

FIELDS = ("failure_modes", "load_profile", "negative_tests")
"""What of a report answers the questions about quality, in their order."""

ASKED = "Also to be reported, one or two sentences each; leave out what does not apply"

INSTRUCTIONS = """\
Do this task. Its plan sets the goal and the bar; hold it against the code first and correct small errors in it
yourself. Look before you create: a file may exist already. Write the tests with the code. Then verify: run the
task's own command and the checks named below, and read what they print. When something fails, find the cause before
you change anything else; after three failed repairs stop and report what you know.

Report: `summary` (one specific line; it becomes part of the commit message), `narrative` (what you did and why, what
deviates from the plan, what is not done) and `key_files` (paths that matter). If the plan itself turns out to be wrong,
so that no work on this task can be right, undo what you began and say in `blocker` what stands in the way: the slice is
then planned anew. A task that is only hard is no blocker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was done, for people and for later units; never evidence."""

    summary: str
    narrative: str
    key_files: tuple[str, ...] = ()
    blocker: str = ""
    failure_modes: str = ""
    load_profile: str = ""
    negative_tests: str = ""


def targets(s: Snapshot) -> Iterable[str]:
    """The first open task of each planned slice."""
    for slice_ in s.slices.values():
        if slice_.status is not SliceStatus.IN_PROGRESS or slice_.blocker or not s.free(slice_):
            continue
        for task in s.tasks_of(slice_.id):
            if not task.inactive:
                yield task.id
                break


def brief(s: Snapshot, target: str, _texts: Mapping[TextHash, str]) -> str:
    """The task's plan, what is flagged about it, its slice, what was done before it."""
    task = s.tasks[target]
    slice_ = s.slices[slice_of(task.id)]
    parts = (
        _plan(task),
        quality.flagged(s, slice_.id),
        quality.put(OF_TASK, ASKED, FIELDS) if asked(s) else "",
        sections.slice_plan(slice_),
        sections.task_lines(s.tasks_of(slice_.id)),
        sections.milestone(s),
        sections.roadmap(s),
    )
    return "\n\n".join(part for part in parts if part)


def _plan(task: Task) -> str:
    lines = [f"## Task {task.id}: {task.title}", task.description]
    if task.files:
        lines.append("Files:\n" + sections.bullets(f"`{path}`" for path in task.files))
    if task.verify:
        lines.append(f"Verify with: `{task.verify}`")
    return "\n\n".join(lines)


def verify(s: Snapshot, target: str, report: Report | None) -> str:
    """The command of the task's plan, unless the task is not done because of a blocker.

    A plan of an older version may hold words about a command, which are not run.
    """
    from walkaway.core.plan.command import wrong  # noqa: PLC0415 - kept off the query path

    command = s.tasks[target].verify.strip()
    return "" if wrong(command) or (report and report.blocker.strip()) else command


def check(_s: Snapshot, _target: str, report: Report) -> str:
    """Refuse empty words and summaries that are no single line."""
    if wrong := sections.blank(summary=report.summary, narrative=report.narrative):
        return wrong
    return "`summary` is one line." if "\n" in report.summary.strip() else ""


def accept(s: Snapshot, target: str, report: Report, by: Accepting) -> "list[Event]":
    """The task is done, its commit on the line; or its slice is to be planned anew, after three times by a person.

    A step of a workflow is closed with its last task, and never planned anew.
    """
    from walkaway.core.events import BlockerFound, TaskDone  # noqa: PLC0415 - kept off the query path

    if report.blocker.strip() and s.slices[slice_of(TaskId(target))].step:
        return [steps.blocked(s, TaskId(target), report.blocker.strip())]
    if report.blocker.strip():
        return [BlockerFound(task=TaskId(target), why=report.blocker.strip()), *_too_often(s, target, report.blocker)]
    return [
        TaskDone(
            task=TaskId(target),
            summary=report.summary.strip(),
            narrative=report.narrative,
            key_files=report.key_files,
            verified="passed" if by.verified else "unverified",
            commit=by.dispatch.commit_sha,
        ),
        *quality.taken(s, target, by, _answers(s, report)),
        *steps.closed(s, TaskId(target), report.summary.strip()),
    ]


def _answers(s: Snapshot, report: Report) -> list[quality.Answer]:
    return quality.told(OF_TASK, (report.failure_modes, report.load_profile, report.negative_tests)) if asked(s) else []


def _too_often(s: Snapshot, target: str, why: str) -> "list[Event]":
    from walkaway.core.derive import ask  # noqa: PLC0415 - kept off the query path
    from walkaway.core.events import QuestionRaised  # noqa: PLC0415
    from walkaway.core.retry import GiveUp  # noqa: PLC0415

    slice_ = slice_of(TaskId(target))
    replans = sum(n.kind == "replan-slice" and n.target == slice_ for n in s.notes.values())
    if replans < MOST_REPLANS:
        return []
    words = GiveUp(
        reason="replans",
        text=f"{slice_} was planned anew {replans} times, and its tasks meet blockers still. The last: {why.strip()}",
        remedies=(
            "answer retry to plan it once more",
            f"set it aside with walkaway skip {slice_}, then answer retry",
            "change what stands in the way, then answer retry",
        ),
    )
    return [QuestionRaised(question=ask(s, UnitKey("replan-slice", slice_), words))]


def changes(s: Snapshot, target: str, report: Report) -> bool:
    """A task that is done has changed something, unless it was planned otherwise; a step may only look."""
    return not (report.blocker.strip() or s.scripted or s.tasks[TaskId(target)].no_code)


UNIT = UnitType(
    kind="execute-task",
    purpose="Do one task: change the code, with tests, and verify it.",
    instructions=INSTRUCTIONS,
    grant=BUILDING,
    report=Report,
    judged=Judged.WORK,
    targets=targets,
    brief=brief,
    check=check,
    accept=accept,
    changes=changes,
    side=DECIDING,
    scripted=True,
    verify=verify,
)
