"""What commands that direct workers share: who is at work, and waiting for their answer."""

import time
from collections.abc import Iterable, Sequence

from walkaway.commands.command import Project
from walkaway.core.errors import Usage
from walkaway.core.fleet.order import CommandStatus
from walkaway.core.fleet.overview import WorkerRow
from walkaway.core.ids import PROJECT_SCOPE, MilestoneId, Scope, WorkerId

ANSWER_S = 15.0
"""How long a person waits for workers to answer an order that is carried out at once."""
ENDED = frozenset({CommandStatus.DONE, CommandStatus.DEAD})


def restriction(milestone: MilestoneId | None) -> Scope:
    """Return what a pause or a stop is about: a milestone, or the whole project."""
    return PROJECT_SCOPE if milestone is None else Scope(milestone)


def at_work(project: Project, scope: Scope) -> tuple[WorkerRow, ...]:
    """Return the workers that a pause or stop of ``scope`` concerns."""
    overview = project.store.overview()
    holders = {row.holder for row in overview.milestones if scope in (PROJECT_SCOPE, row.id)}
    return tuple(w for w in overview.workers if scope == PROJECT_SCOPE or w.id in holders)


def one_at_work(project: Project, milestone: MilestoneId | None) -> tuple[WorkerRow, Scope]:
    """Return the worker that an order is for, and its milestone; `Usage` where there is none, or more than one."""
    overview = project.store.overview()
    held = [(row.holder, Scope(row.id)) for row in overview.milestones if row.holder and milestone in (None, row.id)]
    found = [(worker, scope) for holder, scope in held for worker in overview.workers if worker.id == holder]
    if not found:
        raise Usage(f"No worker is at {milestone or 'work'}; walkaway workers lists them.")
    if len(found) > 1:
        raise Usage(f"{len(found)} workers are at work: say which by --milestone ({', '.join(s for _, s in found)}).")
    return found[0]


def tell(project: Project, name: str, body: str, workers: Iterable[WorkerRow]) -> list[int]:
    """Queue an order to each of these workers and return their numbers."""
    return [project.store.commands.send(name, body, who=project.who, worker=WorkerId(w.id)) for w in workers]


def answers(project: Project, seqs: Sequence[int], seconds: float = ANSWER_S) -> list[str]:
    """Return what came of orders, waiting up to ``seconds``; "" for one that nobody answered in time."""
    until = time.monotonic() + seconds  # the store's clock may be set back meanwhile
    while True:
        found = project.store.commands.find(seqs)
        left = until - time.monotonic()
        if all(command.status in ENDED for command in found) or left <= 0:
            return [command.result if command.status in ENDED else "" for command in found]
        project.store.wait(min(left, 1.0))


def finishing(workers: Sequence[WorkerRow], seqs: Sequence[int], said: Sequence[str]) -> list[str]:
    """Return a sentence for each worker: what it still does, or that it has not answered."""
    lines = []
    for worker, _, answer in zip(workers, seqs, said, strict=True):
        if not answer:
            doing = f"finishes {worker.unit}" if worker.unit else "has not answered yet"
            lines.append(f"Worker {worker.id} {doing}.")
    return lines
