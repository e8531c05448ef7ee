"""What every test gets: a clean environment, no network but loopback, and a PostgreSQL server where it asks for one."""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

LOOPBACK = ("127.", "::1", "localhost")
SECRETS = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No setting, key or git configuration of the machine reaches a test or its processes."""
    for name in [*os.environ]:
        if name.startswith(("WALKAWAY_", "GIT_")) and name != "WALKAWAY_SOAK":
            monkeypatch.delenv(name)
    for name in (*SECRETS, "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path_factory.getbasetemp() / "home"
    home.mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback and unix sockets only."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family != socket.AF_UNIX and isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            pytest.fail(f"a test reached out to {address}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


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
