"""I25, I26: every way to our schema leads to the same one, and nothing that happens on it loses anything."""

import multiprocessing
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from tests.coordination.bench import PROJECT, rows
from tests.tiers import tier
from walkaway.core.errors import WalkawayError
from walkaway.core.ids import Scope
from walkaway.store import Store, connect, create, open_driver, schema
from walkaway.store.driver import Driver, statements
from walkaway.testing.store_bench import W1, milestone, taken

LAST = (
    schema.CURRENT + 1,
    "ALTER TABLE tasks ADD COLUMN mood TEXT NOT NULL DEFAULT 'fine';\nCREATE INDEX moods ON tasks (mood);\n",
)
COLUMNS = "table_name, ordinal_position, column_name, data_type, is_nullable, column_default"
CONSTRAINTS = (
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = current_schema()::regnamespace"
)
SCRIPTS = [*schema.scripts(), LAST]
Fresh = Callable[[], str]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Fresh:
    """Return a maker of URLs of empty databases."""
    made: list[str] = []

    def url() -> str:
        made.append(f"sqlite://{tmp_path}/{len(made)}/state.db")
        return made[-1] if request.param == "sqlite" else request.getfixturevalue("postgres")()

    return url


def shape(driver: Driver) -> list[str]:
    """Tables with their columns, in order, constraints and indexes, as the database tells them."""
    if driver.dialect == "sqlite":
        found = rows(driver, "SELECT type, name, tbl_name, sql FROM sqlite_master")
        tables = sorted(str(row[1]) for row in found if row[0] == "table")
        told = [(*row[:3], re.sub(r"\s+", " ", str(row[3]))) for row in found]
        for table in tables:
            told += [("column", table, *row) for row in rows(driver, f"PRAGMA table_xinfo({table})")]
            told += [
                ("index", table, *sorted(map(str, row[1:]))) for row in rows(driver, f"PRAGMA index_list({table})")
            ]
            told += [("key", table, *row) for row in rows(driver, f"PRAGMA foreign_key_list({table})")]
        return sorted(map(str, told))
    told = [
        *rows(driver, f"SELECT {COLUMNS} FROM information_schema.columns WHERE table_schema = current_schema()"),  # noqa: S608
        *rows(driver, "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"),
        *rows(driver, CONSTRAINTS),
    ]
    return sorted(map(str, told))


CREATED = '{"milestone":"M001","title":"A tool","context":""}'
POLICY = '{"checks":null,"checks_timeout_s":600.0,"setup":null,"attempts":3,"usd":null}'
MILESTONE = {
    "id": "'M001'", "scope": "'M001'", "title": "'A tool'", "status": "'queued'", "context": "''", "vision": "''",
    "criteria": "'[]'", "target_branch": "''", "target_sha": "''", "baseline_sha": "''", "head": "''",
    "prepared_base": "''", "prepared_sha": "''", "stale_count": "0", "commit_sha": "''", "verdict": "''",
    "verified": "0", "summary": "''", "created_at": "1.0", "completed_at": "0",
}  # fmt: skip
LEASE = (
    "INSERT INTO milestone_leases (project_id, scope, rev, worker_id, status, fencing_token, expires_at, clock) "
    "VALUES (:p, 'M001', 1, 'w', 'held', 7, 0, 1.0)"
)
NAMES, CELLS = ", ".join(MILESTONE), ", ".join(MILESTONE.values())
FACT = "INSERT INTO events VALUES (:p, 'M001', 1, :i, 1.0, 'ann', 0, 0, :kind, :body)"
WRITTEN: list[tuple[str, dict[str, str | int]]] = [
    (LEASE, {}),
    (f"INSERT INTO milestones (project_id, {NAMES}) VALUES (:p, {CELLS})", {}),  # noqa: S608
    ("INSERT INTO policies (project_id, scope, body) VALUES (:p, 'M001', :body)", {"body": POLICY}),
    (FACT, {"i": 0, "kind": "MilestoneCreated", "body": CREATED}),
    (FACT, {"i": 1, "kind": "PolicyChanged", "body": f'{{"policy":{POLICY}}}'}),
]
"""What an older walkaway wrote, in the columns that were there from the first."""


def old(url: str, version: int) -> None:
    """A database as an older walkaway left it: one milestone, one holder."""
    driver = open_driver(url, create=True)
    driver.migrate([script for script in schema.scripts() if script[0] <= version])
    schema.add_project(driver, PROJECT)
    with driver.write() as tx:
        for statement, cells in WRITTEN:
            tx.run(statement, p=PROJECT, **cells)
    driver.close()


def whole(store: Store) -> None:
    """All that the older one knew is there, and the next holder's token is higher."""
    assert store.snapshot(Scope("M001")).milestone.title == "A tool"
    assert [entry.type for entry in store.journal({})] == ["MilestoneCreated", "PolicyChanged"]
    lease = taken(store, Scope("M001"), W1)
    assert lease.fencing_token == 8
    store.release(lease)


# ---- I25 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", range(schema.CURRENT))
def test_i25_a_database_of_any_version_becomes_what_a_fresh_one_is(fresh: Fresh, version: int) -> None:
    made = open_driver(fresh(), create=True)
    script = (Path(schema.__file__).parent / "schema.sql").read_text(encoding="utf-8")
    with made.write() as tx:
        for statement in statements(script):
            tx.run(statement)
    url = fresh()
    if version:
        old(url, version)
    upgraded = create(url, PROJECT)
    assert shape(upgraded.driver) == shape(made)
    assert schema.present(upgraded.driver) == schema.CURRENT
    if version:
        whole(upgraded)
    upgraded.close()
    made.close()


# ---- I26 -----------------------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from walkaway.store import open_driver, schema
from tests.coordination.test_i25_migrations import SCRIPTS
url, at = sys.argv[1], int(sys.argv[2])
driver = open_driver(url)
tx = __import__(f"walkaway.store.{driver.dialect}", fromlist=["x"])
cls = tx.SqliteTx if driver.dialect == "sqlite" else tx.PostgresTx
run, count = cls.run, [0]
def counted(self, sql, **params):
    if count[0] == at:
        os.kill(os.getpid(), signal.SIGKILL)
    count[0] += 1
    return run(self, sql, **params)
cls.run = counted
schema.upgrade(driver, SCRIPTS)
if count[0] == at:
    os.kill(os.getpid(), signal.SIGKILL)
print(count[0])
"""


def upgrade_and_die(url: str, at: int) -> int | None:
    """Upgrade in a process that is killed before its nth statement; None if it was, else how many there were."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, url, str(at)], check=False, capture_output=True, text=True, cwd=Path.cwd()
    )
    if done.returncode == -signal.SIGKILL:
        return None
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def backed_up(driver: Driver, url: str, version: int) -> bool:
    """Whether the copy that is made before the first change is there, and whole."""
    if driver.dialect != "sqlite":
        name = f"walkaway_backup_v{version}"
        return bool(rows(driver, "SELECT 1 FROM pg_namespace WHERE nspname = :name", name=name))
    path = Path(f"{url.removeprefix('sqlite://')}.backup-v{version}")
    if not path.exists():
        return False
    copy = open_driver(f"sqlite://{path}")
    assert schema.present(copy) == version
    assert rows(copy, "SELECT title FROM milestones") == [("A tool",)]
    copy.close()
    return True


def test_i26_a_migration_that_is_killed_at_any_step_has_happened_or_has_not(fresh: Fresh) -> None:
    calm = fresh()
    old(calm, 1)
    count = upgrade_and_die(calm, 10_000)
    assert count
    end = open_driver(calm)
    wanted = shape(end)
    assert backed_up(end, calm, 1)
    end.close()
    points = range(count + 1)
    for at in points if tier(check=False, soak=True) else {0, count // 2, count}:
        url = fresh()
        old(url, 1)
        driver = open_driver(url)
        before = shape(driver)
        assert upgrade_and_die(url, at) is None, f"it was to be killed at {at} of {count}"
        version = schema.present(driver)
        assert version in {1, LAST[0]}
        assert shape(driver) == (before if version == 1 else wanted), f"half a schema after {at}"
        assert (version == LAST[0]) == (at == count)
        if driver.dialect == "sqlite":
            assert backed_up(driver, url, 1), f"it was changed before it was copied, at {at}"
        schema.upgrade(driver, SCRIPTS)
        assert (shape(driver), schema.present(driver)) == (wanted, LAST[0])
        assert backed_up(driver, url, 1)
        whole(Store(driver, PROJECT))
        driver.close()


def _opens(url: str, barrier: Barrier, told: "Queue[str]") -> None:
    barrier.wait()
    try:
        store = create(url, PROJECT)
        milestone(store)
        store.close()
    except WalkawayError as error:
        told.put(repr(error))
    else:
        told.put("")


@pytest.mark.parametrize("_number", range(tier(1, 20)))
def test_i26_processes_that_open_an_old_database_at_once_upgrade_it_once(fresh: Fresh, _number: int) -> None:
    url, count = fresh(), tier(2, 8)
    old(url, 1)
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(count)
    told: Queue[str] = context.Queue()
    processes = [context.Process(target=_opens, args=(url, barrier, told)) for _ in range(count)]
    for process in processes:
        process.start()
    assert [told.get(timeout=60) for _ in processes] == [""] * count
    for process in processes:
        process.join()
    store = connect(url, PROJECT)
    assert rows(store.driver, "SELECT version FROM schema_version ORDER BY version") == [
        (n,) for n in range(1, schema.CURRENT + 1)
    ]
    assert backed_up(store.driver, url, 1)
    assert len(store.overview().milestones) == 1 + count
    assert store.snapshot(Scope("M001")).milestone.title == "A tool"
    store.close()
