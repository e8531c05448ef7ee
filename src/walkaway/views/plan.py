"""The plan of a milestone, for programs."""

from walkaway.core.model import Slice, Snapshot, Task
from walkaway.views.query import Json


def plan_json(s: Snapshot) -> Json:
    """Return a milestone with its slices and tasks and all that is planned, done and known of each."""
    m = s.milestone
    return {
        "id": m.id,
        "title": m.title,
        "status": m.aside or str(m.status),
        "depends": [*m.depends],
        "vision": m.vision,
        "criteria": [*m.criteria],
        "verdict": m.verdict,
        "summary": m.summary,
        "commit": m.commit_sha,
        "slices": [_slice(s, x) for x in s.slices.values()],
    }


def _slice(s: Snapshot, x: Slice) -> Json:
    return {
        "id": x.id,
        "title": x.title,
        "status": x.aside or str(x.status),
        "why": x.aside_why or x.blocker,
        "goal": x.goal,
        "demo": x.demo,
        "risk": x.risk,
        "depends": [*x.depends],
        "sketch": x.sketch,
        "must_haves": [*x.must_haves],
        "summary": x.summary,
        "tasks": [_task(t) for t in s.tasks_of(x.id)],
    }


def _task(t: Task) -> Json:
    return {
        "id": t.id,
        "title": t.title,
        "status": t.aside or str(t.status),
        "why": t.aside_why,
        "description": t.description,
        "files": [*t.files],
        "verify": t.verify,
        "verified": t.verified,
        "summary": t.summary,
        "commit": t.commit_sha,
    }
