"""Migrations: they add up to schema.sql, back up first, are all or nothing, and one process makes them."""

import hashlib
import multiprocessing
import re
import threading
from collections.abc import Sequence
from importlib.resources import files
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psycopg
import pytest

from tests.tiers import tier
from walkaway.core.errors import NewerSchema, StoreUnavailable, WalkawayError
from walkaway.core.ids import ProjectId, Scope
from walkaway.store import Store, connect, create, open_driver, schema, sqlite
from walkaway.store.driver import Driver, apply_newer, statements
from walkaway.store.postgres import MIGRATION_LOCK
from walkaway.testing.store_bench import milestone

PROJECT = ProjectId("p")
NEWER = schema.CURRENT + 1
BACKUP = f"walkaway_backup_v{schema.CURRENT}"
SECOND = (
    NEWER,
    "ALTER TABLE tasks ADD COLUMN mood TEXT NOT NULL DEFAULT 'fine';\nCREATE INDEX moods ON tasks (mood);\n",
)
BROKEN = (NEWER, "ALTER TABLE tasks ADD COLUMN mood TEXT;\nDROP TABLE usage;\nDROP TABLE no_such_table;\n")


def shape(driver: Driver) -> object:
    """What there is, in the words of the database."""
    with driver.read() as tx:
        if driver.dialect == "sqlite":
            rows = tx.all("SELECT type, name, tbl_name, sql FROM sqlite_master")
            return sorted((*row[:3], re.sub(r"\s+", " ", str(row[3]))) for row in rows)
        columns = tx.all(
            "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
            "WHERE table_schema = current_schema()"
        )
        indexes = tx.all("SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()")
        checks = tx.all(
            "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = current_schema()::regnamespace AND contype <> 'n'"
        )
        return sorted(map(str, columns)), sorted(map(str, indexes)), sorted(map(str, checks))


def test_the_migrations_add_up_to_the_schema(store_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    migrated = create(store_url, PROJECT)
    if migrated.driver.dialect == "sqlite":
        fresh = open_driver(f"sqlite://{tmp_path}/fresh/state.db", create=True)
    else:
        fresh = open_driver(request.getfixturevalue("postgres")())
    script = (files("walkaway.store") / "schema.sql").read_text(encoding="utf-8")
    with fresh.write() as tx:
        for statement in statements(script):
            tx.run(statement)
    assert shape(fresh) == shape(migrated.driver)
    migrated.close()
    fresh.close()


def test_migrations_are_numbered_without_a_gap_and_the_last_is_ours() -> None:
    numbers = [number for number, _ in schema.scripts()]
    assert numbers == list(range(1, schema.CURRENT + 1))


def test_creating_twice_changes_nothing(store_url: str) -> None:
    first = create(store_url, PROJECT)
    scope = milestone(first)
    again = create(store_url, PROJECT)
    assert again.snapshot(scope).milestone == first.snapshot(scope).milestone
    assert schema.present(again.driver) == schema.CURRENT
    first.close()
    again.close()


def test_an_empty_database_is_not_used_before_it_is_made(store_url: str, tmp_path: Path) -> None:
    driver = open_driver(store_url, create=True)
    assert schema.present(driver) == 0
    driver.close()
    with pytest.raises(StoreUnavailable) as error:
        connect(store_url, PROJECT)
    assert "walkaway init" in str(error.value)


def upgraded(store: Store, scripts: Sequence[tuple[int, str]]) -> None:
    schema.upgrade(store.driver, scripts)


def test_a_second_migration_is_applied_after_a_backup_of_all_there_was(store: Store, store_url: str) -> None:
    scope = milestone(store)
    before = shape(store.driver)
    upgraded(store, [*schema.scripts(), SECOND])
    assert schema.present(store.driver) == NEWER
    with store.driver.read() as tx:
        assert tx.all("SELECT mood FROM tasks") == []
    if store.driver.dialect == "sqlite":
        backup = connect(f"{store_url}.backup-v{schema.CURRENT}", PROJECT)
        assert shape(backup.driver) == before
        assert backup.snapshot(scope).milestone == store.snapshot(scope).milestone
        backup.close()
    else:
        with store.driver.read() as tx:
            tables = ("milestones", "events", "schema_version")
            kept = {name: tx.all(f"SELECT * FROM {BACKUP}.{name}") for name in tables}  # noqa: S608
        assert {name: len(rows) for name, rows in kept.items()} == {
            "milestones": 1,
            "events": 2,
            "schema_version": schema.CURRENT,
        }


@pytest.mark.parametrize("start", range(1, schema.CURRENT))
def test_a_database_of_every_older_version_is_brought_to_ours_with_what_it_held(
    store_url: str, start: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    driver = open_driver(store_url, create=True)
    driver.migrate([script for script in schema.scripts() if script[0] <= start])
    schema.add_project(driver, PROJECT)
    with driver.write() as tx:
        tx.run(
            "INSERT INTO milestone_leases (project_id, scope, worker_id, status, fencing_token) "
            "VALUES ('p', 'M001', 'w', 'held', 7)"
        )
        if start > 1:  # there is a history since then
            tx.run(
                "INSERT INTO lease_history (project_id, scope, epoch, fencing_token, worker_id, acquired_at) "
                "VALUES ('p', 'M001', 1, 7, 'w', 1.0)"
            )
    upgraded(old := Store(driver, PROJECT), schema.scripts())
    assert schema.present(driver) == schema.CURRENT
    assert [held.fencing_token for held in old.lease_history(Scope("M001"))] == [7], "who holds it is in the history"
    if driver.dialect == "sqlite":
        fresh = open_driver(f"sqlite://{tmp_path}/fresh/state.db", create=True)
    else:
        fresh = open_driver(request.getfixturevalue("postgres")())
    fresh.migrate(schema.scripts())
    assert shape(driver) == shape(fresh)
    driver.close()
    fresh.close()


def test_an_upgrade_done_already_does_nothing(store: Store, store_url: str) -> None:
    milestone(store)
    scripts = [*schema.scripts(), SECOND]
    upgraded(store, scripts)
    before = shape(store.driver)
    upgraded(store, scripts)
    store.driver.migrate(scripts)
    assert shape(store.driver) == before


def test_a_backup_that_is_there_already_is_the_older_and_stays(store: Store, store_url: str) -> None:
    if store.driver.dialect == "sqlite":
        there = Path(store_url.removeprefix("sqlite://") + f".backup-v{schema.CURRENT}")
        there.write_text("older")
        Path(f"{there}.partial").write_text("left over")
        upgraded(store, [*schema.scripts(), SECOND])
        assert there.read_text() == "older"
    else:
        with store.driver.write() as tx:
            tx.run(f"CREATE SCHEMA {BACKUP}")
        upgraded(store, [*schema.scripts(), SECOND])
    assert schema.present(store.driver) == NEWER


def test_what_a_killed_backup_left_over_is_replaced(store: Store, store_url: str) -> None:
    if store.driver.dialect != "sqlite":
        pytest.skip("a backup in PostgreSQL is part of the transaction")
    there = Path(store_url.removeprefix("sqlite://") + f".backup-v{schema.CURRENT}")
    Path(f"{there}.partial").write_text("left over")
    upgraded(store, [*schema.scripts(), SECOND])
    assert there.read_bytes().startswith(b"SQLite format 3")


def test_a_migration_that_fails_leaves_everything_as_it_was(store: Store) -> None:
    scope = milestone(store)
    before, row = shape(store.driver), store.snapshot(scope).milestone
    with pytest.raises(StoreUnavailable):
        upgraded(store, [*schema.scripts(), BROKEN])
    assert (shape(store.driver), store.snapshot(scope).milestone) == (before, row)
    assert schema.present(store.driver) == schema.CURRENT
    upgraded(store, [*schema.scripts(), SECOND])
    assert schema.present(store.driver) == NEWER


def test_a_newer_schema_is_refused_and_the_database_left_as_it_is(store: Store, store_url: str) -> None:
    scope = milestone(store)
    with store.driver.write() as tx:
        tx.run("INSERT INTO schema_version VALUES (99, 0)")
    with pytest.raises(NewerSchema):
        store.guard()
    before = shape(store.driver)
    store.close()
    content = _digest(store_url)
    for use in (connect, create):
        with pytest.raises(NewerSchema) as error:
            use(store_url, PROJECT)
        assert "99" in str(error.value)
        assert "Upgrade walkaway" in str(error.value)
    assert _digest(store_url) == content
    assert shape(store.driver) == before
    assert store.snapshot(scope)


def test_a_newer_database_that_left_the_log_is_not_switched_back(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    made = sqlite.sqlite3.connect(path)
    made.execute("CREATE TABLE schema_version (version, applied_at)")
    made.execute("INSERT INTO schema_version VALUES (99, 0)")
    made.commit()
    made.close()
    before = path.read_bytes()
    for use in (connect, create):
        with pytest.raises(NewerSchema):
            use(f"sqlite://{path}", PROJECT)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["state.db"]


def _digest(url: str) -> str:
    if url.startswith("sqlite"):
        return hashlib.sha256(Path(url.removeprefix("sqlite://")).read_bytes()).hexdigest()
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
        return str([connection.execute(f"SELECT * FROM {table}").fetchall() for (table,) in tables])  # noqa: S608


def _creates(url: str, number: int, barrier: Barrier, told: "Queue[str]") -> None:
    driver = open_driver(url, create=True)
    barrier.wait()
    try:
        schema.upgrade(driver, schema.scripts())
        schema.upgrade(driver, [*schema.scripts(), SECOND])
        schema.add_project(driver, PROJECT)
        milestone(Store(driver, PROJECT), f"from {number}")
        told.put("")
    except WalkawayError as error:
        told.put(repr(error))
    driver.close()


def test_who_waited_for_the_lock_sees_what_was_made_meanwhile(postgres_database: str) -> None:
    waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    first, late = open_driver(postgres_database, create=True), open_driver(postgres_database, create=True)
    failed: list[BaseException] = []

    def upgrade() -> None:
        try:
            assert [schema.present(late) for _ in range(9)] == [
                0
            ] * 9  # its session knows by heart that nothing is there
            schema.upgrade(late, schema.scripts())
        except WalkawayError as error:
            failed.append(error)

    thread = threading.Thread(target=upgrade)
    with first.write() as tx:
        tx.one("SELECT pg_advisory_xact_lock(:key)", key=MIGRATION_LOCK)
        thread.start()
        for _ in range(100_000):
            if tx.one(waiting):
                break
        apply_newer(tx, schema.scripts(), present=False, back_up=lambda _tx, _version: None)
    thread.join()
    assert not failed
    assert schema.present(late) == schema.CURRENT
    late.close()
    first.close()


@pytest.mark.parametrize("number", range(tier(2, 20)))
def test_processes_that_make_the_database_at_once_make_one(store_url: str, number: int) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(4)
    told: Queue[str] = context.Queue()
    processes = [context.Process(target=_creates, args=(store_url, n, barrier, told)) for n in range(4)]
    for process in processes:
        process.start()
    assert [told.get(timeout=60) for _ in processes] == [""] * 4
    for process in processes:
        process.join()
    driver = open_driver(store_url)
    with driver.read() as tx:
        assert [row[0] for row in tx.all("SELECT version FROM schema_version ORDER BY version")] == list(
            range(1, NEWER + 1)
        )
    assert len(Store(driver, PROJECT).overview().milestones) == 4
    driver.close()


def test_a_script_is_cut_at_semicolons_that_end_a_line() -> None:
    script = "-- a; comment\nCREATE TABLE a (x TEXT DEFAULT ';');\n  -- more;\nINSERT INTO a\nVALUES (1);\n\n"
    assert statements(script) == ["CREATE TABLE a (x TEXT DEFAULT ';')", "INSERT INTO a\nVALUES (1)"]
