"""A process of its own that asks a database, again and again, what must never be so: ``python -m …audit URL``.

Each look is one transaction on a connection of its own. Three kinds of question: queries that must be empty at any
instant; the journal, read on from where the last look ended, which must be a story that can have happened and must end
in what the tables say; and what was final at an earlier look, which must be so still. It prints one line of JSON per
thing that is wrong, once, and at the end of its input how often it looked.
"""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from walkaway.store import open_driver
from walkaway.store.driver import Cell, Driver, Row, Tx

EVERY_S = 0.02
ROOT = Path(__file__).parents[2]
LIVE = "('claimed', 'running', 'reported')"
ENDED = "('completed', 'failed', 'stuck', 'canceled', 'paused')"

EMPTY: Mapping[str, str] = {
    "two live dispatches of a unit": (
        "SELECT project_id, unit, target FROM unit_dispatches WHERE status IN :live "
        "GROUP BY project_id, unit, target HAVING count(*) > 1"
    ),
    "two live dispatches of a milestone": (
        "SELECT project_id, scope FROM unit_dispatches WHERE status IN :live "
        "GROUP BY project_id, scope HAVING count(*) > 1"
    ),
    "a live dispatch under a fence that is not its lease's": (
        "SELECT d.project_id, d.id, d.fencing_token, l.fencing_token FROM unit_dispatches d JOIN milestone_leases l "
        "ON l.project_id = d.project_id AND l.scope = d.scope WHERE d.status IN :live "
        "AND (d.epoch <> l.epoch OR d.fencing_token <> l.fencing_token)"
    ),
    "two open leases of a scope": (
        "SELECT project_id, scope FROM lease_history WHERE ended_how = '' GROUP BY project_id, scope HAVING count(*) > 1"
    ),
    "a held lease without its open line of history": (
        "SELECT l.project_id, l.scope, l.worker_id FROM milestone_leases l WHERE l.status = 'held' AND NOT EXISTS ("
        "SELECT 1 FROM lease_history h WHERE h.project_id = l.project_id AND h.scope = l.scope AND h.ended_how = '' "
        "AND h.worker_id = l.worker_id AND h.epoch = l.epoch AND h.fencing_token = l.fencing_token)"
    ),
    "an open line of history without a held lease": (
        "SELECT h.project_id, h.scope, h.worker_id FROM lease_history h WHERE h.ended_how = '' AND NOT EXISTS ("
        "SELECT 1 FROM milestone_leases l WHERE l.project_id = h.project_id AND l.scope = h.scope "
        "AND l.status = 'held' AND h.fencing_token = l.fencing_token)"
    ),
    "a lease older than one in its history": (
        "SELECT l.project_id, l.scope FROM milestone_leases l JOIN lease_history h "
        "ON h.project_id = l.project_id AND h.scope = l.scope "
        "WHERE h.epoch > l.epoch OR h.fencing_token > l.fencing_token"
    ),
    "a line of history that ended before it began": (
        "SELECT project_id, scope, fencing_token FROM lease_history WHERE ended_how <> '' AND ended_at < acquired_at"
    ),
    "a lease held by a worker that is entered as ended": (
        "SELECT l.project_id, l.scope, w.id FROM milestone_leases l JOIN workers w "
        "ON w.project_id = l.project_id AND w.id = l.worker_id "
        "WHERE l.status = 'held' AND w.status IN ('stopped', 'crashed')"
    ),
    "a dispatch that ended without a time, or before it began": (
        "SELECT project_id, id FROM unit_dispatches WHERE status IN :ended AND (ended_at = 0 OR ended_at < claimed_at)"
    ),
    "a live dispatch with an end": (
        "SELECT project_id, id FROM unit_dispatches WHERE status IN :live AND ended_at <> 0"
    ),
    "a gap in the facts of one revision": (
        "SELECT project_id, scope, rev FROM events GROUP BY project_id, scope, rev "
        "HAVING min(i) <> 0 OR max(i) <> count(*) - 1"
    ),
    "a fact of a revision that is not reached": (
        "SELECT e.project_id, e.scope, e.rev FROM events e JOIN milestone_leases l "
        "ON l.project_id = e.project_id AND l.scope = e.scope WHERE e.rev > l.rev"
    ),
    "an order that was done by nobody, or by another than the one it was for": (
        "SELECT project_id, seq FROM command_queue WHERE (status = 'done' AND (claimed_by = '' OR deliveries = 0)) "
        "OR (worker <> '' AND claimed_by NOT IN ('', worker))"
    ),
    "an order that waits and has a claimer": (
        "SELECT project_id, seq FROM command_queue WHERE status = 'waiting' AND claimed_by <> ''"
    ),
    "two askings of one gate that wait": (
        "SELECT project_id, scope, gate FROM questions WHERE gate <> '' AND answer = '' "
        "GROUP BY project_id, scope, gate HAVING count(*) > 1"
    ),
    "a gate that was answered by no person": (
        "SELECT project_id, id, gate, answered_by FROM questions WHERE gate <> '' AND answer <> '' "
        "AND answered_by IN ('', 'the policy', 'a new run')"
    ),
}

MOVES: Mapping[str, tuple[Sequence[str], str]] = {
    "DispatchClaimed": ((), "claimed"),
    "DispatchStarted": (("claimed",), "running"),
    "DispatchReported": (("running",), "reported"),
    "DispatchAdopted": (("reported",), "reported"),
    "DispatchCompleted": (("reported",), "completed"),
    "DispatchFailed": (("claimed", "running", "reported"), "failed"),
    "IntegrationConflicted": (("reported",), "failed"),
    "DispatchStuck": (("running",), "stuck"),
    "DispatchCanceled": (("claimed", "running"), "canceled"),
    "DispatchPaused": (("claimed", "running"), "paused"),
}
"""What each fact about a dispatch requires of the facts before it, and what it makes of it: §5, written down again."""

FINAL = {"completed", "failed", "stuck", "canceled", "paused"}
ENDS = {fact for fact, (_, to) in MOVES.items() if to in FINAL}
STEPS: Mapping[str, str] = {"EvidenceRecorded": "evidence", "IntegrationPrepared": "", "IntegrationStale": ""}
"""Facts about a dispatch that do not move it; where it is named in another field, which."""

FACTS = """
SELECT rev, i, at, by_whom, epoch, fencing_token, type, body FROM events
WHERE project_id = :project AND scope = :scope AND rev > :rev ORDER BY rev, i
"""
LEASES = "SELECT project_id, scope, rev, epoch, fencing_token, clock FROM milestone_leases"
DISPATCHES = "SELECT project_id, id, status, commit_sha, failure, ended_at FROM unit_dispatches"
ORDERS = "SELECT project_id, seq, status, claimed_by, deliveries, ended_at, result FROM command_queue"
PAUSES = "SELECT project_id, id FROM pause_records"


@dataclass
class Scope:
    """How far the journal of one scope was read, and what it said."""

    rev: int = 0
    fence: tuple[int, int] = (0, 0)
    at: float = 0.0
    lease: tuple[int, int] = (0, 0)
    clock: float = 0.0


@dataclass
class Audit:
    """What was seen so far."""

    driver: Driver
    scopes: dict[tuple[str, str], Scope] = field(default_factory=dict)
    status: dict[tuple[str, str], str] = field(default_factory=dict)
    """What the journal makes of each dispatch."""
    gates: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """The gates of each scope that wait, by the journal: the questions that ask them."""
    paused: dict[str, set[str]] = field(default_factory=dict)
    final: dict[tuple[str, str], Row] = field(default_factory=dict)
    orders: dict[tuple[str, int], Row] = field(default_factory=dict)

    def look(self) -> list[str]:
        """Return what is wrong at this instant, or came to be since the last look."""
        with self.driver.read() as tx:
            return [*self._empty(tx), *self._told(tx), *self._dispatches(tx), *self._orders(tx)]

    def _empty(self, tx: Tx) -> Iterator[str]:
        for what, query in EMPTY.items():
            for row in tx.all(query.replace(":live", LIVE).replace(":ended", ENDED)):
                yield f"{what}: {row}"

    # ---- the journal -----------------------------------------------------------------------------------------------

    def _told(self, tx: Tx) -> Iterator[str]:
        for project, scope, rev, epoch, token, clock in tx.all(LEASES):
            seen = self.scopes.setdefault((str(project), str(scope)), Scope())
            fence, time = (number(epoch), number(token)), float(clock or 0)
            if fence < seen.lease:
                yield f"{scope}: its fence fell from {seen.lease} to {fence}"
            if time < seen.clock or number(rev) < seen.rev:
                yield f"{scope}: its clock or revision went back"
            seen.lease, seen.clock = fence, time
            for fact in tx.all(FACTS, project=project, scope=scope, rev=seen.rev):
                yield from self._fact(str(project), str(scope), seen, fact)
            seen.rev = number(rev)
        kept = {(str(project), str(restriction)) for project, restriction in tx.all(PAUSES)}
        if kept != (said := {(p, r) for p, restrictions in self.paused.items() for r in restrictions}):
            yield f"the pauses kept, {kept}, are not those of the journal, {said}"

    def _fact(self, project: str, scope: str, seen: Scope, fact: Row) -> Iterator[str]:
        rev, i, at, by, epoch, token, kind, text = fact
        name = f"{scope} {rev}.{i} {kind} by {by}"
        body = json.loads(str(text))
        if number(token):
            fence = (number(epoch), number(token))
            if fence < seen.fence:
                yield f"{name}: written under fence {fence} after one under {seen.fence}"
            seen.fence = max(seen.fence, fence)
        if float(at or 0) < seen.at:
            yield f"{name}: its time is before the fact before it"
        seen.at = float(at or 0)
        yield from self._gated((project, scope), name, str(kind), body)
        if kind in MOVES:
            yield from self._move(project, name, str(kind), str(body["dispatch"]))
        elif kind in STEPS:
            about = body[STEPS[kind]] if STEPS[kind] else body
            dispatch = about.get("dispatch_id", about.get("dispatch"))
            if dispatch.startswith(f"{scope}-") and self.status.get((project, dispatch)) != "reported":
                yield f"{name}: {dispatch} is {self.status.get((project, dispatch))}"
        else:
            yield from self._control(project, name, str(kind), body)

    def _gated(self, key: tuple[str, str], name: str, kind: str, body: Mapping[str, object]) -> Iterator[str]:
        waiting = self.gates.setdefault(key, set())
        match kind, body:
            case "QuestionRaised", {"question": {"id": str(asked), "gate": str(gate)}} if gate:
                waiting.add(asked)
            case "QuestionAnswered", {"question": str(asked)}:
                waiting.discard(asked)
            case "DispatchClaimed", _ if waiting:
                yield f"{name}: it was claimed while {', '.join(sorted(waiting))} waits at a gate"
            case _:
                pass

    def _move(self, project: str, name: str, kind: str, dispatch: str) -> Iterator[str]:
        required, made = MOVES[kind]
        before = self.status.get((project, dispatch))
        if (before not in required) if required else before is not None:
            yield f"{name}: {dispatch} was {before}"
        self.status[project, dispatch] = made

    def _control(self, project: str, name: str, kind: str, body: Mapping[str, object]) -> Iterator[str]:
        paused = self.paused.setdefault(project, set())
        match kind:
            case "Paused":
                paused.add(_id(body["pause"]))
            case "PauseNoted" if _id(body["note"]) not in paused:
                yield f"{name}: nothing was paused"
            case "Resumed" | "PauseDropped":
                if str(body["restriction"]) not in paused:
                    yield f"{name}: nothing was paused"
                paused.discard(str(body["restriction"]))
            case "Stopped":
                stopped = _id(body["stop"])
                self.paused[project] = {each for each in paused if stopped not in (each, "*")}
            case _:
                pass

    # ---- what was final --------------------------------------------------------------------------------------------

    def _dispatches(self, tx: Tx) -> Iterator[str]:
        there = {(str(row[0]), str(row[1])): row for row in tx.all(DISPATCHES)}
        for key, row in there.items():
            if self.status.get(key) != row[2]:
                yield f"dispatch {key[1]} is {row[2]}, and by the journal {self.status.get(key)}"
        for key in self.status.keys() - there.keys():
            yield f"dispatch {key[1]} is in the journal and nowhere else"
        for key, row in self.final.items():
            if there.get(key) != row:
                yield f"dispatch {key[1]} was {row[2:]} for good, and is {there.get(key)}"
        self.final.update({key: row for key, row in there.items() if row[2] in FINAL})

    def _orders(self, tx: Tx) -> Iterator[str]:
        for row in tx.all(ORDERS):
            key = (str(row[0]), number(row[1]))
            _, seq, status, by, deliveries, *_ = row
            before = self.orders.get(key)
            self.orders[key] = row
            if before is None:
                continue
            if before[2] in {"done", "dead"} and before != row:
                yield f"order {seq} was {before[2:]} for good, and is {row[2:]}"
            if number(deliveries) < number(before[4]):
                yield f"order {seq} was delivered {before[4]} times, and now {deliveries}"
            if (before[2], status) == ("claimed", "done") and deliveries == before[4] and by != before[3]:
                yield f"order {seq} was {before[3]}'s and {by} completed it"


def number(cell: Cell) -> int:
    return int(cell or 0)


def _id(value: object) -> str:
    return str(value["id"]) if isinstance(value, Mapping) else ""


# ---- as a process --------------------------------------------------------------------------------------------------


@dataclass
class Watching:
    """What came of watching; complete when it is over."""

    said: IO[str]
    looks: int = 0
    wrong: list[str] = field(default_factory=list)

    def until_told(self) -> None:
        """Wait until something wrong has been seen."""
        self.wrong.append(json.loads(self.said.readline()))

    def end(self) -> None:
        """Take all that is told to the end."""
        *wrong, looks = [json.loads(line) for line in self.said]
        self.wrong += wrong
        self.looks = int(looks)


@contextmanager
def watching(url: str) -> Iterator[Watching]:
    """Let a process of its own look at a database meanwhile; the caller judges what it saw."""
    command = [sys.executable, "-m", "tests.coordination.audit", url]
    pipe = subprocess.PIPE
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, env=env) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == '"looking"\n'
        seen = Watching(child.stdout)
        try:
            yield seen
        finally:
            child.stdin.close()
            seen.end()


def main(url: str) -> None:
    driver = open_driver(url)
    audit, said, looks = Audit(driver), set[str](), 0
    print('"looking"', flush=True)  # noqa: T201 - the word that a test waits for
    over = False
    while not over:
        over = bool(select.select([sys.stdin], [], [], EVERY_S)[0])
        looks += 1
        for wrong in audit.look():
            if wrong not in said:
                said.add(wrong)
                print(json.dumps(wrong), flush=True)  # noqa: T201
    driver.close()
    print(looks)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
