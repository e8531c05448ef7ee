"""What every test gets: a clean environment, no network but loopback, and a PostgreSQL server where it asks for one."""

import os
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage

from tests.tiers import SOAK

HERE = Path(__file__).parent
MEASURED = {"core", "units", "store", "engine"}
AGAIN = {
    "core/test_evolve.py",
    "core/test_remedies.py",
    "core/test_simulation.py",
    "engine/test_die_at_every_point.py",
    "engine/test_remedies.py",
    "store/test_model.py",
}
"""Suites that go the same ways a thousand times: traced they take three times as long, and show no line more."""

# The suites that the product ships say what was compared; here, before any test imports one of them.
for _part in ("suite", "leases", "settling", "commits", "records", "fleet", "pauses"):
    pytest.register_assert_rewrite(f"walkaway.testing.store_{_part}")

LOOPBACK = re.compile(r"127(\.\d+){3}|::1|localhost")
# settings of ours, of git and of PostgreSQL's library; models' keys and addresses; proxies; what slows every start; and
# coverage's word to programs: a program under test runs as its user runs it, so that what it imports can be looked at
OURS_ALONE = re.compile(
    r"(WALKAWAY_(?!SOAK$)|GIT_|PG[A-Z]+$).*|.*_(API_KEY|AUTH_TOKEN|BASE_URL)|(?i:.*_proxy)"
    r"|PYTHONDONTWRITEBYTECODE|XDG_CONFIG_HOME|COVERAGE_.*"
)


def pytest_configure() -> None:
    """Undo what a runner in the background hands down: programs under test must not ignore Ctrl-C and hang-up."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Trace lines in the suites of the packages that decide, where `make check` measures them: elsewhere it only costs."""
    measuring = Coverage.current()
    place = item.path.relative_to(HERE)
    aside = measuring is not None and (place.parts[0] not in MEASURED or place.as_posix() in AGAIN)
    if measuring is not None and aside:
        measuring.stop()
    try:
        return (yield)
    finally:
        if measuring is not None and aside:
            measuring.start()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave `soak` to `make soak`, and mark what asks for the PostgreSQL server."""
    for item in items:
        if not SOAK and item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.skip(reason="only in make soak"))
        if "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker("postgres")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No setting, key or git configuration of the machine reaches a test or its processes."""
    for name in [*os.environ]:
        if OURS_ALONE.fullmatch(name):
            monkeypatch.delenv(name)
    home = tmp_path_factory.getbasetemp() / "home"
    home.mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback and unix sockets only, and no question to a name server."""
    socket_ = socket.socket
    connect, connect_ex, look_up = socket_.connect, socket_.connect_ex, socket.getaddrinfo

    def check(host: object) -> None:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not (isinstance(name, str) and LOOPBACK.fullmatch(name)):
            pytest.fail(f"a test reached out to {name}")

    def connected(self: socket.socket, address: tuple[object, ...]) -> None:
        if self.family != socket.AF_UNIX:
            check(address[0])
        connect(self, address)

    def connected_ex(self: socket.socket, address: tuple[object, ...]) -> int:
        if self.family != socket.AF_UNIX:
            check(address[0])
        return connect_ex(self, address)

    def looked_up(host: bytes | str | None, *args: Any, **kwargs: Any) -> list[Any]:
        check(host)
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket_, "connect", connected)
    monkeypatch.setattr(socket_, "connect_ex", connected_ex)
    monkeypatch.setattr(socket, "getaddrinfo", looked_up)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """One server for all tests of this process; call it for the URL of a fresh database."""
    from walkaway.testing import postgres as starter

    folder = Path(tempfile.mkdtemp(prefix="walkaway-pg-"))
    server = starter.start(str(folder))
    yield server.database
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def postgres_database(postgres: Callable[[], str]) -> str:
    """Return the URL of a fresh PostgreSQL database."""
    return postgres()
