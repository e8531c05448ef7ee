"""The state of a project as one JSON object: the keys of the original's `headless query`, and ours.

Rule: what it says of the next step is what `derive` says; nothing is decided here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from walkaway.core.derive import Ask, Blocked, Decision, Expand, Finished, Resume, Settle, Spent, Start, Wait
from walkaway.core.fleet.overview import MilestoneRow, Overview, WorkerRow
from walkaway.core.fleet.pause import Pause
from walkaway.core.ids import PROJECT_SCOPE, WorkerId, short
from walkaway.core.model import MilestoneStatus, Question, Snapshot
from walkaway.core.plan.scope import scope_of
from walkaway.core.registers.model import STATUSES, Glance
from walkaway.views.phase import Where, where

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the database does not know: the branch that the work goes to, its commit, and the limits configured."""

    branch: str
    sha: str
    usd: float | None = None
    attempts: int = 0


def query(
    overview: Overview,
    snapshot: Snapshot | None,
    decision: Decision | None,
    *,
    around: Around,
    glance: Glance,
    dead: frozenset[WorkerId] = frozenset(),
    pauses: Sequence[Pause] = (),
) -> Json:
    """Return the object; ``snapshot`` and ``decision`` are those of the milestone that a worker would take.

    ``glance``: the registers. ``pauses``: those in force; they are told among what is blocked, and no unit is next
    while one holds.
    """
    asked = [q for q in snapshot.questions.values() if q.open] if snapshot else []
    if isinstance(decision, Ask):
        asked.append(decision.question)
    return {
        "state": _state(overview, snapshot, decision, asked, glance),
        "next": _held(pauses, snapshot) or _next(decision),
        "cost": _cost(overview, snapshot, around, dead),
        "workers": [_worker(worker, dead) for worker in overview.workers],
        "blocked": [*(paused(pause) for pause in pauses), *(blocked(q) for q in asked)],
        "questions": [
            {"id": q.id, "unit": q.unit, "text": q.text, "options": list(q.options)}
            for q in asked
            if not (isinstance(decision, Ask) and q is decision.question)
        ],
        "target": {"branch": around.branch or None, "sha": around.sha or None},
    }


def blocked(question: Question) -> Json:
    """Return why something waits for a person, and what would help."""
    return {
        "unit": question.unit,
        "reason": question.reason,
        "detail": question.text,
        "remedies": list(question.remedies),
    }


def paused(pause: Pause) -> Json:
    """Return what a person paused, and what goes on with it."""
    return {"unit": None, "reason": "paused", "detail": pause.sentence, "remedies": [pause.remedy]}


# ---- state --------------------------------------------------------------------------------------------------------


def _state(
    overview: Overview, s: Snapshot | None, decision: Decision | None, asked: list[Question], glance: Glance
) -> Json:
    at = where(overview, s, decision)
    done = [row for row in overview.milestones if row.status is MilestoneStatus.COMPLETE]
    state: Json = {
        "activeMilestone": _named(s.milestone.id, s.milestone.title) if s else None,
        "scope": _scope(s) if s else None,
        "activeSlice": _named(short(at.slice.id), at.slice.title) if at.slice else None,
        "activeTask": _named(short(at.task.id), at.task.title) if at.task else None,
        "phase": at.phase,
        "recentDecisions": [d.sentence for d in glance.decisions],
        "blockers": [q.text for q in asked],
        "nextAction": next_action(at, decision),
        "registry": [_registered(row, s) for row in overview.milestones],
        "requirements": _requirements(glance),
        "progress": _progress(overview, s, len(done)),
    }
    if done:
        state["lastCompletedMilestone"] = _named(done[-1].id, done[-1].title)
    return state


def _requirements(glance: Glance) -> Json:
    """Count them by status; none of ours is ever ``blocked``, which the original counts from words in its file."""
    found = glance.requirements
    told = {"outOfScope" if status == "out-of-scope" else status: found.get(status, 0) for status in STATUSES}
    return {**told, "blocked": 0, "total": sum(found.values())}


def _scope(s: Snapshot) -> Json:
    found = scope_of(s)
    return {"kind": str(found.kind), "why": found.why}


def _named(identity: str, title: str) -> Json:
    return {"id": identity, "title": title}


def _registered(row: MilestoneRow, active: Snapshot | None) -> Json:
    after: Json = {"dependsOn": list(row.depends)} if row.depends else {}
    return {
        **_named(row.id, row.title), "status": registry_status(row, active.milestone.id if active else ""), **after
    }  # fmt: skip


def registry_status(row: MilestoneRow, active: str) -> str:
    """Return the original's word for how a milestone stands: complete, active, pending, parked or discarded."""
    if row.status is MilestoneStatus.COMPLETE:
        return "complete"
    if row.aside:
        return row.aside
    return "active" if row.id == active else "pending"


def _progress(overview: Overview, s: Snapshot | None, done: int) -> Json:
    rows = overview.milestones
    row = next((r for r in rows if s and r.id == s.milestone.id), rows[-1] if rows else None)
    return {
        "milestones": {"done": done, "total": len(rows)},
        "slices": {"done": row.slices_done if row else 0, "total": row.slices_total if row else 0},
        "tasks": {"done": row.tasks_done if row else 0, "total": row.tasks_total if row else 0},
    }


def next_action(at: Where, decision: Decision | None) -> str:  # noqa: C901, PLR0911 - one match, one case a decision
    """Return what to do now, in one sentence."""
    match decision:
        case None if at.phase == "complete":
            return "All milestones are complete. Hand in the next specification with walkaway new --spec FILE."
        case None if at.phase == "blocked":
            return "No milestone can be worked on; walkaway queue shows why."
        case None | Finished():
            return "Hand in a specification with walkaway new --spec FILE."
        case Start(key=key, attempt=attempt):
            return f"Run {key}{f' (attempt {attempt})' if attempt > 1 else ''} with walkaway auto."
        case Resume(dispatch=dispatch):
            return f"Go on with {dispatch.key}, which is {dispatch.status}."
        case Expand(slice=step):
            return f"Cut {step} into tasks with walkaway auto."
        case Settle(note=note):
            return f"Take down {note.kind}, which is confirmed, with walkaway auto."
        case Wait(key=key):
            return f"Wait, then run {key} again."
        case Spent():
            return "Raise limits.usd, then run walkaway auto again."
        case Ask(question=question) | Blocked(question=question):
            return question.remedies[0] if question.remedies else question.text
        case _:
            assert_never(decision)


# ---- next, cost, workers ------------------------------------------------------------------------------------------


def _held(pauses: Sequence[Pause], s: Snapshot | None) -> Json | None:
    """Return that nothing is next, where a pause holds the milestone that a worker would take."""
    pause = next((p for p in pauses if p.id == PROJECT_SCOPE or (s and p.id == s.scope)), None)
    return {"action": "stop", "reason": pause.sentence} if pause else None


def _next(decision: Decision | None) -> Json:  # noqa: PLR0911 - as above
    match decision:
        case None:
            return {"action": "stop", "reason": "There is nothing to do."}
        case Start(key=key, attempt=attempt, why=why):
            told: Json = {"action": "dispatch", "unitType": key.kind, "unitId": key.target, "attempt": attempt}
            return {**told, "reason": why} if why else told
        case Resume(dispatch=d):
            told = {"action": "dispatch", "unitType": d.unit, "unitId": d.target, "attempt": d.attempt}
            return {**told, "reason": f"{d.id} is {d.status}."}
        case Expand(slice=step):
            return {"action": "expand", "unitId": step}
        case Settle(note=note):
            return {"action": "settle", "unitId": note.kind}
        case Wait(key=key, until=until, why=why):
            told = {"action": "skip", "unitType": key.kind, "unitId": key.target}
            return {**told, "until": until, "reason": why}
        case Ask(question=question) | Blocked(question=question):
            return {"action": "stop", "reason": question.text}
        case Spent(key=key):
            return {"action": "stop", "reason": f"The budget is spent; {key} would be next."}
        case Finished():
            return {"action": "stop", "reason": "The milestone is complete."}
        case _:
            assert_never(decision)


def _cost(overview: Overview, s: Snapshot | None, around: Around, dead: frozenset[WorkerId]) -> Json:
    holders: Mapping[str | None, str] = {row.holder: row.id for row in overview.milestones}
    spent: Mapping[str, float | None] = {s.milestone.id: s.usage.usd} if s else {}
    workers = [
        {
            "milestoneId": holders.get(worker.id),
            "pid": worker.pid,
            "state": _status(worker, dead),
            "cost": spent.get(holders.get(worker.id, "")),
            "lastHeartbeat": worker.beat_at,
        }
        for worker in overview.workers
    ]
    return {
        "workers": workers,
        "total": overview.usage.usd,
        "limits": {
            "usd": s.policy.usd if s else around.usd,
            "attempts": s.policy.attempts if s else around.attempts,
            "spent": s.usage.usd if s else 0.0,
        },
    }


def _worker(worker: WorkerRow, dead: frozenset[WorkerId]) -> Json:
    return {
        "id": worker.id,
        "host": worker.host,
        "pid": worker.pid,
        "status": _status(worker, dead),
        "unit": worker.unit or None,
        "last_beat": worker.beat_at,
    }


def _status(worker: WorkerRow, dead: frozenset[WorkerId]) -> str:
    """Return what is known of it: a process that is gone did not say goodbye."""
    return "crashed" if worker.id in dead else worker.status
