"""What is particular to SQLite: the file, its lock, its version, its disk."""

import fcntl
import importlib.util
import os
import shutil
import signal
import sqlite3 as standard
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from walkaway.core.errors import StoreUnavailable, Usage
from walkaway.core.ids import ProjectId, Scope
from walkaway.store import Store, connect, create, filesystem, open_driver, schema, sqlite
from walkaway.store.filesystem import network_filesystem
from walkaway.store.sqlite import SqliteDriver, too_old, wal_is_safe
from walkaway.store.turns import Turns
from walkaway.testing.moments import pinned
from walkaway.testing.store_bench import W1, milestone, taken

PROJECT = ProjectId("p")


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "state" / "state.db"


@pytest.fixture
def store(path) -> Iterator[Store]:
    made = create(f"sqlite://{path}", PROJECT)
    yield made
    made.close()


def said(error: "pytest.ExceptionInfo[StoreUnavailable]") -> str:
    text = str(error.value)
    assert text[0].isupper()
    assert text.endswith(".")
    return text


def test_a_missing_file_is_said_and_not_made(path: Path) -> None:
    with pytest.raises(StoreUnavailable) as error:
        connect(f"sqlite://{path}", PROJECT)
    assert "walkaway init" in said(error)
    assert not path.parent.exists()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreUnavailable) as error:
        create(f"sqlite://{tmp_path}/file/below/state.db", PROJECT)
    said(error)


@pytest.mark.parametrize("size", [0, 100, 5000])
def test_a_damaged_file_is_said(store: Store, path: Path, size: int) -> None:
    milestone(store)
    store.close()
    path.write_bytes(b"this is no database " * (size // 20))
    with pytest.raises(StoreUnavailable) as error:
        connect(f"sqlite://{path}", PROJECT)
    said(error)


def test_a_file_damaged_in_the_middle_is_said_when_it_is_read(store: Store, path: Path) -> None:
    scope = milestone(store)
    store.close()
    whole = bytearray(path.read_bytes())
    whole[8192:] = os.urandom(len(whole) - 8192)
    path.write_bytes(whole)
    with pytest.raises(StoreUnavailable) as error:
        connect(f"sqlite://{path}", PROJECT).snapshot(scope)
    said(error)


def test_a_writer_that_waits_too_long_is_told_so(store: Store, path: Path) -> None:
    scope = milestone(store)
    other = SqliteDriver(str(path), busy_s=0.05)
    # by the driver's own library: two libraries in one process do not see each other's locks
    holder = sqlite.sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable) as error:
        Store(other, PROJECT).new_milestone("t", "c", store.snapshot(scope).policy, "ann")
    assert "locked" in said(error)
    assert Store(other, PROJECT).snapshot(scope), "readers are not in the way"
    holder.execute("ROLLBACK")
    assert milestone(Store(other, PROJECT)) == "M002"
    holder.close()
    other.close()


def test_the_write_lock_is_held_before_anything_is_read(store: Store, path: Path) -> None:
    stranger = sqlite.sqlite3.connect(path, isolation_level=None, timeout=0)
    with store.driver.write() as tx:
        assert tx.one("SELECT 1") == (1,)
        with pytest.raises(sqlite.sqlite3.OperationalError, match="locked"):
            stranger.execute("BEGIN IMMEDIATE")
    stranger.execute("BEGIN IMMEDIATE")
    stranger.close()


def test_a_writer_whose_turn_never_comes_is_told_so(store: Store, path: Path) -> None:
    milestone(store)
    other = SqliteDriver(str(path), busy_s=0.05)
    with open(f"{path}-turns") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        with pytest.raises(StoreUnavailable) as error:
            milestone(Store(other, PROJECT))
        assert "busy" in said(error)
    assert milestone(Store(other, PROJECT)) == "M002"
    other.close()


def test_the_turn_of_a_process_that_dies_is_given_on(store: Store, path: Path) -> None:
    code = """
import sys
from walkaway.store import connect
store = connect(sys.argv[1], 'p')
with store.driver.write() as tx:
    tx.run("UPDATE milestone_leases SET rev = 99")
    print("in", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, f"sqlite://{path}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"in\n"
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert milestone(store) == "M001"
    assert store.snapshot(Scope("M001")).rev == 1


def test_closing_twice_is_harmless(path: Path) -> None:
    turns = Turns(str(path))
    turns.close()
    turns.close()


def test_a_full_disk_is_said_and_leaves_nothing_half_done(store: Store, path: Path) -> None:
    scope = milestone(store)
    lease = taken(store, scope)
    before = store.snapshot(scope)
    code = f"""
import resource, signal, sys
from walkaway.core.errors import StoreUnavailable
from walkaway.core.model import Lease
from walkaway.store import connect
store = connect('sqlite://{path}', 'p')
lease = {lease!r}
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * 1024, hard))
try:
    store.commit(lease, [], texts=["x" * 3_000_000])
except StoreUnavailable as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
store.commit(lease, [], texts=["y"])
store.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "cannot be used" in done.stdout
    assert store.snapshot(scope).rev == before.rev + 1


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_a_file_that_may_only_be_read_is_read_and_refuses_to_be_written() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        _read_only(folder)
    finally:
        shutil.rmtree(folder)


def _read_only(folder: Path) -> None:
    path = folder / "state.db"
    store = create(f"sqlite://{path}", PROJECT)
    scope = milestone(store)
    for name in (folder, *folder.iterdir()):
        name.chmod(0o555 if name.is_dir() else 0o444)
    code = f"""
import os
from walkaway.core.errors import StoreUnavailable
from walkaway.core.model import Policy
from walkaway.store import connect, sqlite
import walkaway.core.evolve, walkaway.store.codec, encodings.idna
os.setgid(65534); os.setuid(65534)
store = connect('sqlite://{path}', 'p')
print(store.snapshot({scope!r}).milestone.title)
try:
    store.new_milestone('t', 'c', Policy(), 'ann')
except StoreUnavailable as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    title, refusal = done.stdout.splitlines()
    assert title == "A tool"
    assert "cannot be used" in refusal
    store.close()


MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:5 / /home rw - nfs4 server:/home rw
31 30 254:1 / /home/ann\\040b/local rw - ext4 /dev/vdb rw
32 22 0:6 / /mnt rw - ext4 /dev/vdc rw
33 22 0:7 / /mnt rw - cifs //server/share rw
34 22 0:8 / /mnt\\134x rw - fuse.sshfs ann@server rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/x", ""),
        ("/home/ann/project", "nfs4"),
        ("/home", "nfs4"),
        ("/homes", ""),
        ("/home/ann b/local/project", ""),
        ("/mnt/x", "cifs"),
        ("/mnt\\x/y", "fuse.sshfs"),
    ],
)
def test_the_file_system_of_a_folder_is_that_of_the_deepest_mount(tmp_path: Path, folder: str, kind: str) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert network_filesystem(folder, str(mounts)) == kind


def test_where_mounts_cannot_be_seen_nothing_is_refused(tmp_path: Path) -> None:
    assert network_filesystem("/home", str(tmp_path / "none")) == ""


def test_a_database_on_a_network_file_system_is_refused(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 1 0:5 / {os.path.realpath(tmp_path)} rw - nfs4 server:/home rw\n")
    monkeypatch.setattr(filesystem, "MOUNTS", str(mounts))
    with pytest.raises(StoreUnavailable) as error:
        create(f"sqlite://{path}", PROJECT)
    assert "nfs4" in said(error)
    assert "PostgreSQL" in said(error)
    assert not path.parent.exists(), "nothing was made"


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 6, 23), True),
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
    ],
)
def test_versions_whose_log_can_lose_pages_are_known(version: tuple[int, ...], safe: bool) -> None:
    assert wal_is_safe(version) is safe


def test_a_version_without_our_dialect_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [too_old(v) for v in ((3, 34, 9), (3, 35, 0))] == [True, False]
    monkeypatch.setattr(sqlite, "too_old", lambda _: True)
    with pytest.raises(StoreUnavailable) as error:
        create(f"sqlite://{path}", PROJECT)
    assert "3.35" in said(error)


def test_the_version_in_use_is_told() -> None:
    assert sqlite.version().startswith("3.")


def test_an_unsafe_version_makes_check_points_only_under_the_write_lock(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "wal_is_safe", lambda _: False)
    monkeypatch.setattr(sqlite, "LARGE_WAL_BYTES", 100_000)
    store = create(f"sqlite://{path}", PROJECT)
    scope = milestone(store)
    lease = taken(store, scope)
    wal = Path(f"{path}-wal")
    sizes = []
    for n in range(40):
        store.commit(lease, [pinned(f"b{n}")], texts=["x" * 20_000 + str(n)])
        sizes.append(wal.stat().st_size)
    assert 0 in sizes
    assert max(sizes) > 90_000
    assert store.snapshot(scope).milestone.target_branch == "b39"
    store.close()


def test_a_check_point_needs_a_log(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "wal_is_safe", lambda _: False)
    path.parent.mkdir()
    driver = open_driver(f"sqlite://{path}", create=True)  # a new file has no log before its schema is made
    with driver.write() as tx:
        tx.run("CREATE TABLE x (y)")
    assert not driver.has_schema()
    driver.close()


@pytest.fixture
def without_pysqlite3(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The driver as it is where only the standard library's SQLite is installed."""
    monkeypatch.setitem(sys.modules, "pysqlite3", None)
    monkeypatch.setitem(sys.modules, "pysqlite3.dbapi2", None)
    spec = importlib.util.spec_from_file_location("walkaway.store.sqlite_standard", sqlite.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def test_the_standard_library_will_do(path: Path, without_pysqlite3: ModuleType) -> None:
    assert without_pysqlite3.version() == standard.sqlite_version
    driver = without_pysqlite3.SqliteDriver(str(path), create=True)
    schema.upgrade(driver, schema.scripts())
    schema.add_project(driver, PROJECT)
    store = Store(driver, PROJECT)
    scope = milestone(store)
    store.commit(taken(store, scope, W1), [pinned()])
    assert store.snapshot(scope).milestone.target_branch == "main"
    store.close()


@pytest.mark.parametrize(("given", "level"), [("FULL", 2), ("NORMAL", 1), ("OFF", 2)])
def test_synchronous_is_full_unless_normal_is_asked_for(path: Path, given: str, level: int) -> None:
    store = create(f"sqlite://{path}", PROJECT, synchronous=given)
    with store.driver.read() as tx:
        assert tx.one("PRAGMA synchronous") == (level,)
        assert tx.one("PRAGMA journal_mode") == ("wal",)
        assert tx.one("PRAGMA foreign_keys") == (1,)
    store.close()


def test_a_file_system_without_a_log_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.exists", lambda _: True)
    driver = SqliteDriver(":memory:")  # which has none
    with pytest.raises(StoreUnavailable) as error:
        driver.migrate(schema.scripts())
    assert "write-ahead log" in said(error)
    driver.close()


def test_a_file_that_others_use_is_switched_to_a_log_when_they_let_go(path: Path) -> None:
    path.parent.mkdir()
    driver = SqliteDriver(str(path), create=True, busy_s=0.05)
    other = sqlite.sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable) as error:
        driver.migrate(schema.scripts())
    assert "locked" in said(error)
    other.execute("ROLLBACK")
    driver.migrate(schema.scripts())
    assert schema.present(driver) == schema.CURRENT
    other.close()
    driver.close()


@pytest.mark.parametrize("url", ["sqlite:relative.db", "mysql://ann:secret@host/db", "", "/plain/path"])
def test_a_url_of_another_kind_is_refused_without_telling_its_password(url: str) -> None:
    with pytest.raises(Usage) as error:
        connect(url, PROJECT)
    assert "secret" not in str(error.value)
    assert "sqlite:///" in str(error.value)


def test_postgres_without_its_package_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "walkaway.store.postgres", raising=False)
    with pytest.raises(Usage) as error:
        connect("postgresql://nowhere/x", PROJECT)
    assert "walkaway[postgres]" in str(error.value)
