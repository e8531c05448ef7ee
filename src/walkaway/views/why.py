"""Where something comes from: the way from what was asked for to what was done, and back."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from walkaway.core.ids import slice_of
from walkaway.core.model import Dispatch, Evidence, Snapshot
from walkaway.views.query import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One step of the way; ``seconds`` = how long it took, 0 where that has no meaning."""

    kind: str
    name: str
    text: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What was asked about, and its way, from the specification to the commits."""

    what: str
    links: tuple[Link, ...]


def way(s: Snapshot, target: str, what: str, spec: str) -> Why:
    """Return the way to ``target``, a milestone, slice or task of ``s``; ``spec`` is the milestone's specification."""
    return Why(what=what, links=(*_asked(s, spec), *_planned(s, target), *_worked(s, target), *_landed(s, target)))


def why_json(found: Why) -> Json:
    """Return it for programs."""
    return {"v": 1, "what": found.what, "links": [asdict(link) for link in found.links]}


def _asked(s: Snapshot, spec: str) -> Iterator[Link]:
    first = next((line.strip() for line in spec.splitlines() if line.strip()), "")
    yield Link(kind="asked", name=f"{s.milestone.id} {s.milestone.title}", text=s.milestone.vision or first)


def _planned(s: Snapshot, target: str) -> Iterator[Link]:
    if target in s.tasks or target in s.slices:
        slice_ = s.slices[slice_of(s.tasks[target].id) if target in s.tasks else s.slices[target].id]
        yield Link(kind="slice", name=f"{slice_.id} {slice_.title}", text=slice_.goal or slice_.demo)
    if target in s.tasks:
        task = s.tasks[target]
        yield Link(kind="task", name=f"{task.id} {task.title}", text=task.description)
    for question in s.questions.values():
        if question.unit.rpartition(" ")[2] == target and not question.open:
            said = f"{question.answer}, said {question.answered_by}"
            yield Link(kind="question", name=f"{question.id}: {said}", text=question.text)


def _worked(s: Snapshot, target: str) -> Iterator[Link]:
    """Yield each run about ``target``, oldest first, and what its checks said."""
    for run in s.dispatches.values():
        if run.target != target:
            continue
        name = f"{run.key} (attempt {run.attempt}) {run.status}"
        yield Link(kind="run", name=name, text=run.why, seconds=_took(run))
        for evidence in s.evidence.values():
            if evidence.dispatch_id == run.id:
                yield Link(kind="check", name=_said(evidence), seconds=evidence.duration_ms / 1000)


def _took(run: Dispatch) -> float:
    return max(run.ended_at - run.claimed_at, 0.0) if run.ended_at else 0.0


def _said(evidence: Evidence) -> str:
    code = "" if evidence.exit_code is None else f", exit {evidence.exit_code}"
    return f"{evidence.command or 'no check'}: {evidence.result}{code}"


def _landed(s: Snapshot, target: str) -> Iterator[Link]:
    if target in s.tasks and s.tasks[target].commit_sha:
        task = s.tasks[target]
        yield Link(kind="commit", name=task.commit_sha, text=task.summary)
    if s.milestone.commit_sha:
        merged = f"{s.milestone.commit_sha} on {s.milestone.target_branch}"
        yield Link(kind="merged", name=merged, text=s.milestone.summary)
