"""Where something comes from: the way from what was asked for to what was done, and back."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from walkaway.core.ids import slice_of
from walkaway.core.model import Dispatch, Evidence, Result, Snapshot
from walkaway.core.registers.model import Decision, Registers, Requirement
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


def way(s: Snapshot, target: str, what: str, spec: str, registers: Registers) -> Why:
    """Return the way to ``target``, a milestone, slice or task of ``s``; ``spec`` is the milestone's specification."""
    links = (
        *_asked(s, spec),
        *_required(registers, target),
        *_planned(s, target),
        *_decided(registers, target),
        *_worked(s, target),
        *_landed(s, target),
    )
    return Why(what=what, links=links)


def way_of_requirement(found: Requirement, s: Snapshot | None, registers: Registers) -> Why:
    """Return what covers a requirement: the slice that owns it, its decisions, its tasks and their commits.

    ``s``: the milestone of that slice; None where no slice owns it.
    """
    links = [_requirement(found)]
    if s is not None and (slice_ := next((x for x in s.slices.values() if x.id == found.owner), None)):
        links += _planned(s, slice_.id)
        links += _decided(registers, slice_.id)
        for task in s.tasks_of(slice_.id):
            how = task.verified or task.aside or str(task.status)
            links.append(Link(kind="task", name=f"{task.id} {task.title}: {how}", text=task.summary))
            links += _landed(s, task.id, merged=False)
        links += _landed(s, slice_.id)
    if found.validation:
        links.append(Link(kind="validated", name=found.validation))
    return Why(what=found.id, links=tuple(links))


def way_of_decision(found: Decision, rest: Why | None) -> Why:
    """Return a decision, what it superseded or was superseded by, and the ``rest``: the way to where it was made."""
    history = [f"supersedes {found.supersedes}"] if found.supersedes else []
    history += [f"superseded by {found.superseded_by}"] if found.superseded_by else []
    name = "; ".join([f"{found.id} {found.decision}: {found.choice}", *history])
    first = Link(kind="decision", name=name, text=found.rationale)
    return Why(what=found.id, links=(first, *(rest.links if rest else ())))


def _required(registers: Registers, target: str) -> Iterator[Link]:
    """Yield the requirements that a slice, or the slice of a task, owns or supports."""
    for each in registers.requirements.values():
        if any(_covers(slice_, target) for slice_ in (each.owner, *each.supporting) if slice_):
            yield _requirement(each)


def _covers(slice_: str, target: str) -> bool:
    return target == slice_ or target.startswith(f"{slice_}/")


def _requirement(each: Requirement) -> Link:
    return Link(kind="required", name=f"{each.id} ({each.status}) {each.description}", text=each.why)


def _decided(registers: Registers, target: str) -> Iterator[Link]:
    for each in registers.decisions.values():
        if each.context and _covers(target, each.context.rpartition(" ")[2]):
            yield Link(kind="decision", name=f"{each.id} {each.decision}: {each.choice}", text=each.rationale)


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
    if evidence.result is Result.NO_CHECK:
        return "none: the project had nothing to run"
    code = "" if evidence.exit_code is None else f", exit {evidence.exit_code}"
    known = f", {evidence.known} of {evidence.failing} failing tests known" if evidence.known else ""
    return f"{evidence.command}: {evidence.result}{code}{known}"


def _landed(s: Snapshot, target: str, *, merged: bool = True) -> Iterator[Link]:
    if target in s.tasks and s.tasks[target].commit_sha:
        task = s.tasks[target]
        yield Link(kind="commit", name=task.commit_sha, text=task.summary)
    if merged and s.milestone.commit_sha:
        where = f"{s.milestone.commit_sha} on {s.milestone.target_branch}"
        yield Link(kind="merged", name=where, text=s.milestone.summary)
