"""What is particular to PostgreSQL: connections break, errors have their own words."""

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from walkaway.core.errors import StoreUnavailable
from walkaway.core.ids import ProjectId
from walkaway.store import Store, connect, create, postgres
from walkaway.store.postgres import PostgresDriver, too_old
from walkaway.testing.moments import pinned
from walkaway.testing.store_bench import milestone, taken

pytestmark = pytest.mark.postgres
PROJECT = ProjectId("p")


@pytest.fixture
def store(postgres_database: str) -> Iterator[Store]:
    made = create(postgres_database, PROJECT)
    yield made
    made.close()


def cut_all(url: str) -> None:
    """End every other connection to the database, and wait until they are gone."""
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"SELECT pg_terminate_backend(pid, 10000) {others}")


def said(error: "pytest.ExceptionInfo[StoreUnavailable]") -> str:
    text = str(error.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


def test_a_connection_cut_while_idle_is_opened_again(store: Store, postgres_database: str) -> None:
    scope = milestone(store)
    lease = taken(store, scope)
    cut_all(postgres_database)
    assert store.snapshot(scope).rev == 1
    cut_all(postgres_database)
    assert store.commit(lease, [pinned()]).rev == 2


def test_a_connection_cut_inside_a_transaction_leaves_nothing(store: Store, postgres_database: str) -> None:
    scope = milestone(store)
    with pytest.raises(StoreUnavailable), store.driver.write() as tx:
        tx.run("UPDATE milestone_leases SET rev = 99")
        cut_all(postgres_database)
        tx.run("UPDATE milestone_leases SET rev = 100")
    assert store.snapshot(scope).rev == 1
    assert milestone(store) == "M002"


def test_a_cut_ends_a_wait_for_a_word_may_have_been_missed(store: Store, postgres_database: str) -> None:
    store.wait(0)
    cut_all(postgres_database)
    begin = time.monotonic()
    store.wait(30)
    milestone(store)
    store.wait(30)
    assert time.monotonic() - begin < 20


def test_a_server_that_went_away_is_said_until_it_is_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    scope = milestone(store)
    store.wait(0)
    url = store.driver._url
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(psycopg.conninfo.make_conninfo(url, dbname="postgres"), autocommit=True) as other:
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        other.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", [name])
        for use in (lambda: store.snapshot(scope), lambda: milestone(store), lambda: store.wait(5)):
            with pytest.raises(StoreUnavailable) as error:
                use()
            assert "cannot be used" in said(error)
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert store.snapshot(scope).rev == 1
    store.wait(5)


def test_many_writes_wake_a_waiter_once(store: Store) -> None:
    store.wait(0)
    for _ in range(5):
        milestone(store)
    store.wait(30)
    listener = store.driver._listeners.mine()
    assert list(listener.notifies(timeout=0)) == []


def test_a_server_that_is_not_there_is_said(tmp_path) -> None:
    with pytest.raises(StoreUnavailable) as error:
        connect(f"postgresql://postgres@/x?host={tmp_path}", PROJECT)
    assert "database.url" in said(error)


def test_a_server_that_is_too_old_is_said(postgres_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [too_old(v) for v in (130014, 140000)] == [True, False]
    monkeypatch.setattr(postgres, "too_old", lambda _: True)
    with pytest.raises(StoreUnavailable) as error:
        PostgresDriver(postgres_database)
    assert "14" in said(error)


def test_an_empty_database_has_no_schema_and_is_said(postgres_database: str) -> None:
    with pytest.raises(StoreUnavailable) as error:
        connect(postgres_database, PROJECT)
    assert "walkaway init" in said(error)


def test_a_statement_that_waits_too_long_is_said(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    scope = milestone(store)
    lease = taken(store, scope)
    monkeypatch.setattr(postgres, "STATEMENT_TIMEOUT_MS", 50)
    hasty = connect(postgres_database, PROJECT)
    with store.driver.write() as tx:
        tx.run("UPDATE milestone_leases SET rev = rev")
        with pytest.raises(StoreUnavailable):
            hasty.commit(lease, [pinned()])
    assert hasty.commit(lease, [pinned()])
    hasty.close()


def test_writers_of_one_milestone_wait_for_each_other_and_of_two_do_not(store: Store, postgres_database: str) -> None:
    first, second = milestone(store), milestone(store)
    one, two = taken(store, first), taken(store, second)
    done: list[str] = []
    late = threading.Thread(target=lambda: done.append(store.commit(one, [pinned()]).milestone.target_branch))
    with store.driver.write() as tx:
        tx.run("UPDATE milestone_leases SET rev = rev WHERE scope = :s", s=first)
        late.start()
        other = connect(postgres_database, PROJECT)
        other.commit(two, [pinned("free")])
        other.close()
        assert done == []
    late.join()
    assert done == ["main"]


def test_a_transaction_that_was_left_open_is_never_gone_on_with(store: Store) -> None:
    scope = milestone(store)
    left = store.driver._connection()
    left.execute("BEGIN")
    left.execute("UPDATE milestone_leases SET rev = 99")  # as where a signal came before anybody could clean up
    store.beat("nobody", "")
    assert store.snapshot(scope).rev == 1
