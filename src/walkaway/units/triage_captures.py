"""Sort in what people threw in while the work goes on: before the next unit, and never past their consent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from walkaway.core.asking.question import Question
from walkaway.core.grant import PLANNING
from walkaway.core.ids import TextHash
from walkaway.core.model import MilestoneStatus, Note, Slice, SliceStatus, Snapshot
from walkaway.core.plan import wish
from walkaway.core.unit import Accepting, Judged, UnitType
from walkaway.units import cutting, notes, roadmap, sections
from walkaway.units.cutting import PlannedTask

if TYPE_CHECKING:
    from walkaway.core.events import Event

KIND = wish.TRIAGE
CHANGING = ("inject", "replan", "quick-task")
"""What changes the plan: done only where a person agreed, or said beforehand not to be asked."""
VERDICTS = (*CHANGING, "defer", "note", "stop")

INSTRUCTIONS = """\
A person threw in the thoughts below while the work goes on. Sort each in, once, as the least that does it justice:

- `inject`: a task more in a slice that is in progress (`slice`, and `tasks` with exactly one).
- `replan`: the open tasks of a slice in progress are wrong because of it (`slice`); it is planned anew right after.
- `quick-task`: small, and it belongs to no slice (`tasks` with exactly one); it gets a slice of its own.
- `defer`: worth doing, not now: those who look at the roadmap next read it.
- `note`: worth knowing, nothing to do.
- `stop`: the person wants the work to stop.

Report: `captures`, one for each thought: `id`, `verdict`, `reason` (one sentence, for the person), and where the
verdict says so `slice` (like S02) and `tasks` (each with `title`, `description`, `files`, `verify`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """What becomes of one thought."""

    id: str
    verdict: str
    reason: str
    slice: str = ""
    tasks: tuple[PlannedTask, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of them, sorted in."""

    captures: tuple[Sorted, ...]


def targets(s: Snapshot) -> Iterable[str]:
    """The milestone, while something is to be sorted in."""
    if s.milestone.status is MilestoneStatus.ACTIVE and any(wish.captures(s)):
        yield s.milestone.id


def brief(s: Snapshot, _target: str, _texts: Mapping[TextHash, str]) -> str:
    """The thoughts, which of them a person agreed to, the roadmap, the slices in progress."""
    agreed = " (the person agreed that it may change the plan)"
    said = (f"- {note.id}: {note.summary}{agreed if wish.agreed(s, note) else ''}" for note in wish.captures(s))
    doing = [f"### {x.id}\n\n{sections.task_lines(s.tasks_of(x.id))}" for x in _doing(s).values()]
    going = sections.head("\n\n".join(doing) or "None is in progress.", 6_000)
    parts = (
        f"## Thrown in\n\n{sections.fit(said)}",
        f"## Slices in progress\n\n{going}",
        sections.milestone(s),
        sections.roadmap(s),
    )
    return "\n\n".join(parts)


def _doing(s: Snapshot) -> dict[str, Slice]:
    return {x.id: x for x in s.slices.values() if x.status is SliceStatus.IN_PROGRESS and not x.aside}


def check(s: Snapshot, _target: str, report: Report) -> str:
    """Refuse what leaves out or doubles a thought, and what the plan cannot take in."""
    wanted, given = [note.id for note in wish.captures(s)], [each.id for each in report.captures]
    if sorted(given) != sorted(wanted):
        return f"Sort in each of {', '.join(wanted)}, once."
    for each in report.captures:
        if wrong := _wrong(s, each):
            return f"{each.id}: {wrong}"
    replanned = [each.slice for each in report.captures if each.verdict == "replan"]
    if len(set(replanned)) < len(replanned):
        return "A slice is planned anew once: sort in the other thought about it as a note."
    return ""


def _wrong(s: Snapshot, each: Sorted) -> str:
    if each.verdict not in VERDICTS:
        return f"`verdict` is one of {', '.join(VERDICTS)}, not '{each.verdict}'."
    if wrong := sections.blank(reason=each.reason):
        return wrong
    if bool(each.tasks) != (each.verdict in {"inject", "quick-task"}):
        return "`tasks` has one task for inject and quick-task, and none for anything else."
    if each.tasks and (wrong := "one task, not more" if len(each.tasks) > 1 else cutting.wrong_tasks(each.tasks)):
        return wrong
    return _wrong_slice(s, each) if each.verdict in {"inject", "replan"} else ""


def _wrong_slice(s: Snapshot, each: Sorted) -> str:
    doing = _doing(s)
    if (slice_ := roadmap.whole(s, each.slice)) not in doing:
        return f"'{each.slice}' is no slice in progress; those are {', '.join(doing) or 'none: use defer'}."
    if each.verdict == "replan" and not [t for t in s.tasks_of(slice_) if not t.inactive]:
        return f"{each.slice} has no open task that could be planned anew: use inject."
    return ""


def accept(s: Snapshot, _target: str, report: Report, by: Accepting) -> "list[Event]":
    """What needs no consent, or has it, is done; about the rest a person is asked."""
    from walkaway.core.events import NoteTaken, QuestionRaised  # noqa: PLC0415 - kept off the query path

    facts: list[Event] = []
    told: list[Note] = []
    asked: list[Question] = []
    found = {note.id: note for note in wish.captures(s)}
    for each in report.captures:
        note = notes.taken(s, each.id, by, summary=each.reason, verdict=each.verdict).note
        consent = s.policy.questions == "assume" or wish.agreed(s, found[each.id])
        question = _question(s, found[each.id], each, len(asked)) if not consent or each.verdict == "stop" else None
        if question:
            asked.append(question)
        if question and each.verdict != "stop":
            note = replace(note, verdict=f"{wish.ASKED}{question.id}")
        else:
            facts += _change(s, each, found[each.id], facts)
        told.append(replace(note, id=f"{s.milestone.id}-N{len(s.notes) + len(told) + 1}"))
    return [*facts, *(NoteTaken(note=note) for note in told), *(QuestionRaised(question=q) for q in asked)]


def _question(s: Snapshot, capture: Note, each: Sorted, before: int) -> Question | None:
    """Return what a person is asked about it; None where it changes nothing."""
    stop = each.verdict == "stop"
    if not stop and each.verdict not in CHANGING:
        return None
    said = sections.line(capture.summary, 300)
    text = f"You said: {said} The work has stopped." if stop else f"You said: {said} Proposed: {_proposed(each)}."
    return Question(
        id=f"{s.milestone.id}-Q{len(s.questions) + before + 1}",
        unit=f"{KIND} {s.milestone.id}",
        reason="capture-stop" if stop else "capture",
        text=text,
        remedies=("answer go-on when the work may go on",) if stop else ("answer do, or leave to keep the plan",),
        options=("go-on",) if stop else wish.CONSENT,
    )


def _proposed(each: Sorted) -> str:
    titles = ", ".join(task.title for task in each.tasks)
    what = {
        "inject": f"a task more in {each.slice} ({titles})",
        "replan": f"{each.slice} is planned anew",
        "quick-task": f"a slice of its own ({titles})",
    }
    return f"{what[each.verdict]}; {each.reason}"


def _change(s: Snapshot, each: Sorted, capture: Note, before: "Sequence[Event]") -> "list[Event]":
    """Return what one thought changes; ``before``: what those before it change in the same commit."""
    from walkaway.core.events import BlockerFound, RoadmapChanged, SlicePlanned, TasksAdded  # noqa: PLC0415 - as above

    match each.verdict:
        case "inject":
            slice_ = roadmap.whole(s, each.slice)
            there = sum(isinstance(fact, TasksAdded) and fact.slice == slice_ for fact in before)
            added = cutting.tasks_from(s, slice_, each.tasks, there)
            return [TasksAdded(slice=slice_, tasks=added, why=each.reason)]
        case "replan":
            slice_ = roadmap.whole(s, each.slice)
            task = next(t for t in s.tasks_of(slice_) if not t.inactive)
            return [BlockerFound(task=task.id, why=f"a person said: {capture.summary} {each.reason}")]
        case "quick-task":
            there = sum(isinstance(fact, RoadmapChanged) for fact in before)
            plan = cutting.PlannedSlice(title=each.tasks[0].title, goal=each.tasks[0].description, demo=each.reason)
            (made,) = cutting.slices_from(s, (plan,), there)
            cut = cutting.tasks_from(s, made.id, each.tasks)
            return [
                RoadmapChanged(added=(made,), changed=(), dropped=(), why=each.reason),
                SlicePlanned(slice=made.id, goal=made.goal, must_haves=(), tasks=cut),
            ]
        case _:
            return []


UNIT = UnitType(
    kind=KIND,
    purpose="Sort in what people threw in.",
    instructions=INSTRUCTIONS,
    grant=PLANNING,
    report=Report,
    judged=Judged.NOTHING,
    targets=targets,
    brief=brief,
    check=check,
    accept=accept,
)
