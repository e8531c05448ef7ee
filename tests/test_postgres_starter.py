"""The starter of the suite's PostgreSQL server."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg

from walkaway.testing import postgres


def servers_under(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if str(folder) in " ".join(process.info["cmdline"] or []):
            found.append(process)
    return found


def test_the_server_answers_and_leaves_no_process_behind(tmp_path):
    server = postgres.start(str(tmp_path / "pg"))
    with psycopg.connect(server.database()) as connection:
        assert int(connection.execute("SHOW server_version_num").fetchone()[0]) >= 140000
    server.stop()
    assert servers_under(tmp_path) == []


def test_the_server_ends_when_its_starter_is_killed(tmp_path):
    script = f"from walkaway.testing import postgres; postgres.start({str(tmp_path / 'pg')!r}); print('up', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout.readline() == "up\n"
        running = [p for p in servers_under(tmp_path) if p.pid != starter.pid]
        assert running
        starter.send_signal(signal.SIGKILL)
    gone, alive = psutil.wait_procs(running, timeout=10)
    assert alive == []
