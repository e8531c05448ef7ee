"""The command queue: orders from people, and from anywhere, to workers; delivered at least once, completed once.

All writers of the queue take turns at the row of the project's own scope, so that an order goes to one worker at a time
on either database.
"""

from collections.abc import Iterable

from walkaway.core.fleet.order import COMMAND, DELIVERIES_MOST, Command, CommandStatus, Move
from walkaway.core.ids import PROJECT_SCOPE, ProjectId, WorkerId
from walkaway.store.codec import columns, from_row
from walkaway.store.driver import Driver, Tx

LOCK = "UPDATE milestone_leases SET rev = rev WHERE project_id = :project AND scope = :scope"


def _from(move: Move) -> str:
    """Return the statuses from which a move is possible, in SQL."""
    return ", ".join(f"'{status}'" for status in COMMAND[move])


_COLUMNS = ", ".join(columns(Command))

SEND = f"""
INSERT INTO command_queue (project_id, seq, name, body, worker, sent_by, sent_at, status)
SELECT :project, COALESCE(MAX(seq), 0) + 1, :name, :body, :worker, :sent_by, {{now}}, '{CommandStatus.WAITING}'
FROM command_queue WHERE project_id = :project
RETURNING seq
"""  # noqa: S608 - constants

LIVING = (
    "SELECT id FROM workers WHERE project_id = :project AND status IN ('active', 'stopping') ORDER BY registered_at, id"
)

LAPSED = f"""
UPDATE command_queue SET status = '{CommandStatus.WAITING}', claimed_by = '', claim_expires_at = 0
WHERE project_id = :project AND status IN ({_from(Move.RETURN)}) AND claim_expires_at <= {{now}}
"""  # noqa: S608

RETURNED = f"""
UPDATE command_queue SET status = '{CommandStatus.WAITING}', claimed_by = '', claim_expires_at = 0
WHERE project_id = :project AND status IN ({_from(Move.RETURN)}) AND claimed_by = :gone AND worker = ''
"""  # noqa: S608

ORPHANED = f"""
UPDATE command_queue SET status = '{CommandStatus.DEAD}', ended_at = {{now}}, result = :why
WHERE project_id = :project AND status IN ({_from(Move.BURY)}) AND worker = :gone
"""  # noqa: S608

WORN = f"""
UPDATE command_queue SET status = '{CommandStatus.DEAD}', ended_at = {{now}}, result = :why
WHERE project_id = :project AND status = '{CommandStatus.WAITING}' AND deliveries >= :most
"""  # noqa: S608

CLAIM = f"""
UPDATE command_queue SET status = '{CommandStatus.CLAIMED}', claimed_by = :by, claimed_at = {{now}},
    claim_expires_at = {{now}} + :seconds, deliveries = deliveries + 1
WHERE project_id = :project AND status IN ({_from(Move.CLAIM)}) AND seq = (
    SELECT MIN(seq) FROM command_queue
    WHERE project_id = :project AND status IN ({_from(Move.CLAIM)}) AND worker IN ('', :by)
)
RETURNING {_COLUMNS}
"""  # noqa: S608

COMPLETE = f"""
UPDATE command_queue SET status = '{CommandStatus.DONE}', ended_at = {{now}}, result = :result
WHERE project_id = :project AND seq = :seq AND status IN ({_from(Move.COMPLETE)}) AND claimed_by = :by
"""  # noqa: S608

FIND = f"SELECT {_COLUMNS} FROM command_queue WHERE project_id = :project"  # noqa: S608

OPEN = """
SELECT 1 FROM command_queue
WHERE project_id = :project AND worker IN ('', :by)
  AND (status = 'waiting' OR (status = 'claimed' AND claim_expires_at <= {now}))
"""


class CommandQueue:
    """The orders of one project. All methods raise `StoreUnavailable` where the database cannot be used."""

    def __init__(self, driver: Driver, project: ProjectId) -> None:
        """Keep it in the database behind ``driver``."""
        self._driver = driver
        self._project = project

    def send(self, name: str, body: str, *, who: str, worker: WorkerId | None = None) -> int:
        """Queue an order to one worker (None: whoever takes it first) and return its number."""
        with self._driver.write() as tx:
            self._lock(tx)
            return self._insert(tx, name, body, who, worker or WorkerId(""))

    def broadcast(self, name: str, body: str, *, who: str) -> tuple[int, ...]:
        """Queue an order to every worker that did not say goodbye, one row each, and return their numbers."""
        with self._driver.write() as tx:
            self._lock(tx)
            workers = [WorkerId(str(row[0])) for row in tx.all(LIVING, project=self._project)]
            return tuple(self._insert(tx, name, body, who, worker) for worker in workers)

    def claim(self, worker: WorkerId, seconds: float) -> Command | None:
        """Take the oldest order that ``worker`` may take, for ``seconds``; None where there is none.

        An order whose claim lapsed is taken again; one delivered too often is put aside instead.
        """
        with self._driver.read() as tx:
            if tx.one(OPEN, project=self._project, by=worker) is None:
                return None
        with self._driver.write() as tx:
            self._lock(tx)
            tx.run(LAPSED, project=self._project)
            bury_worn(tx, self._project)
            row = tx.one(CLAIM, project=self._project, by=worker, seconds=seconds)
        return None if row is None else from_row(Command, row)

    def complete(self, seq: int, worker: WorkerId, result: str) -> bool:
        """Enter what came of an order; False, and nothing changed, unless ``worker`` is the one that has it."""
        with self._driver.write() as tx:
            self._lock(tx)
            return tx.run(COMPLETE, project=self._project, seq=seq, by=worker, result=result) == 1

    def find(self, seqs: Iterable[int]) -> tuple[Command, ...]:
        """Return orders by number, those that there are."""
        with self._driver.read() as tx:
            rows = [tx.one(f"{FIND} AND seq = :seq", project=self._project, seq=seq) for seq in seqs]
        return tuple(from_row(Command, row) for row in rows if row is not None)

    def listed(self) -> tuple[Command, ...]:
        """Return every order ever given, the oldest first."""
        with self._driver.read() as tx:
            rows = tx.all(f"{FIND} ORDER BY seq", project=self._project)
        return tuple(from_row(Command, row) for row in rows)

    def _lock(self, tx: Tx) -> None:
        tx.run(LOCK, project=self._project, scope=PROJECT_SCOPE)

    def _insert(self, tx: Tx, name: str, body: str, who: str, worker: WorkerId) -> int:
        row = tx.one(SEND, project=self._project, name=name, body=body, worker=worker, sent_by=who)
        return int(row[0] or 0) if row else 0


def give_back(tx: Tx, project: ProjectId, gone: WorkerId) -> int:
    """Settle the orders of a worker that is gone: those for anybody wait again, its own are dead. Return how many."""
    tx.run(LOCK, project=project, scope=PROJECT_SCOPE)
    returned = tx.run(RETURNED, project=project, gone=gone)
    bury_worn(tx, project)
    return returned + tx.run(ORPHANED, project=project, gone=gone, why="its worker is gone")


def bury_worn(tx: Tx, project: ProjectId) -> None:
    """Put aside what was delivered too often."""
    tx.run(WORN, project=project, most=DELIVERIES_MOST, why=f"delivered {DELIVERIES_MOST} times, never completed")
