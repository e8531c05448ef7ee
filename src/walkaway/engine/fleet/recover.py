"""What an interrupted run left, in words: for the next agent, for a person, and in one line for who starts again.

Read from the transcript that survived on this host. A line that a crash cut short is the end of what is known.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from walkaway.core.fleet.overview import Overview, WorkerRow
from walkaway.core.ids import MilestoneId, UnitKey, parse_unit
from walkaway.core.model import Dispatch, FailureKind, Question, Snapshot
from walkaway.identity import Identity, alive
from walkaway.units.sections import line as one_line
from walkaway.units.sections import tail

KILLS = "kills-its-worker"
RESULT_MOST = 500
FAILURE_MOST = 300
WORDS_MOST = 600
STEPS_MOST = 12
"""Tool calls that are told one by one, the last ones."""
BRIEFING_MOST = 4_000
TAIL_EVENTS = 8
WRITES = frozenset({"write", "edit"})

Json = Mapping[str, object]


@dataclass(slots=True)
class Trace:
    """What a transcript tells of one run."""

    files: dict[str, None] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    words: str = ""


def is_dead(row: WorkerRow) -> bool:
    """Whether a worker that did not say goodbye is provably gone: its process ran here and is no more."""
    return alive(Identity(row.host, row.boot_id, row.pid, row.started)) is False


def dead_holder(overview: Overview, milestone: MilestoneId) -> WorkerRow | None:
    """Return the provably dead worker that holds a milestone, if one does."""
    holder = next((row.holder for row in overview.milestones if row.id == milestone), None)
    return next((row for row in overview.workers if row.id == holder and is_dead(row)), None)


def unit_left_by(row: WorkerRow, s: Snapshot) -> UnitKey | None:
    """Return the unit that a dead worker was at, after its milestone was taken over."""
    last = next(reversed(list(s.dispatches.values())), None)
    if last is None:
        return None
    cut = last.failure == FailureKind.LEASE_LOST and last.worker_id == row.id
    return last.key if cut or last.live else None


def line(row: WorkerRow, unit: UnitKey | None) -> str:
    """Return in one line what became of a dead worker's work."""
    who = f"Worker {row.id} (pid {row.pid}) is dead"
    if unit is None:
        return f"{who}; it was between units, and no work was lost."
    return f"{who}; going on with {unit} from what it left."


def interrupted(s: Snapshot, key: UnitKey) -> Dispatch | None:
    """Return the last ended run of a unit if the end of its worker cut it off, without a report."""
    runs = [d for d in s.runs_of(key) if not d.live]
    return runs[-1] if runs and runs[-1].failure == FailureKind.LEASE_LOST else None


def transcript_of(state_dir: str, dispatch: str) -> str:
    """Return where the conversation of a dispatch is written down."""
    return os.path.join(state_dir, "transcripts", f"{dispatch}.jsonl")


def briefing(path: str) -> str:
    """Return what an interrupted conversation did, for the next agent; "" where it called no tool."""
    trace = _trace(path)
    if not trace.steps:
        return ""
    parts = [
        (
            "An earlier run of this unit was cut off before it reported. Its directory is gone: your files are those "
            "of the last finished unit. Use what it found out; do not take its word for anything unchecked."
        )
    ]
    if trace.files:
        parts.append("Files it wrote: " + ", ".join(trace.files))
    parts.append("Its last steps:\n" + "\n".join(trace.steps[-STEPS_MOST:]))
    if trace.words:
        parts.append(f"Its last words: {trace.words}")
    return tail("\n\n".join(parts), BRIEFING_MOST)


def tail_of_last(state_dir: str, s: Snapshot, question: Question) -> str:
    """Return the end of the transcript that a question about a unit that kills its worker is about; else ""."""
    if question.reason != KILLS:
        return ""
    last = interrupted(s, parse_unit(question.unit))
    if last is None:
        return ""
    path = transcript_of(state_dir, last.id)
    told = [f"  {_short(event)}" for event in list(_events(path))[-TAIL_EVENTS:]]
    where = f"The last run's transcript is {path}"
    return f"{where}; it ends so:\n" + "\n".join(told) if told else f"{where}; there is nothing in it."


def _trace(path: str) -> Trace:
    trace = Trace()
    calls: dict[object, str] = {}
    for event in _events(path):
        match event.get("event"):
            case "call":
                calls[event.get("id")] = _call(event)
                args = event.get("args")
                if event.get("tool") in WRITES and isinstance(args, Mapping):
                    trace.files[str(args.get("path", ""))] = None
            case "result":
                failed = bool(event.get("failed"))
                said = one_line(str(event.get("text", "")), FAILURE_MOST if failed else RESULT_MOST)
                done = calls.pop(event.get("id"), str(event.get("tool", "")))
                trace.steps.append(f"- {done} -> {'failed: ' if failed else ''}{said}")
            case "text" | "thinking":
                trace.words = one_line(str(event.get("text", "")), WORDS_MOST)
            case "start":
                trace = Trace()  # only the last conversation counts
    trace.steps.extend(f"- {open_} -> [cut off]" for open_ in calls.values())
    return trace


def _events(path: str) -> Iterator[Json]:
    """Yield the events of a transcript up to where it was cut off; none where there is no file."""
    try:
        with open(path, encoding="utf-8", errors="replace") as source:
            for raw in source:
                if not raw.endswith("\n"):
                    return
                event = json.loads(raw)
                if isinstance(event, dict):
                    yield event
    except (FileNotFoundError, json.JSONDecodeError):
        return


def _call(event: Json) -> str:
    args = event.get("args")
    given = args if isinstance(args, Mapping) else {}
    about = next((str(given[name]) for name in ("command", "path", "pattern") if name in given), "")
    return one_line(f"{event.get('tool')} {about}", FAILURE_MOST)


def _short(event: Json) -> str:
    kind = str(event.get("event"))
    match kind:
        case "call":
            return f"{kind}: {_call(event)}"
        case "text" | "thinking" | "result" | "reminder":
            return f"{kind}: {one_line(str(event.get('text', '')), FAILURE_MOST)}"
        case _:
            return kind
