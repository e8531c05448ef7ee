"""Run the server: in a thread for tests, or as a process that ends when it is told to or its parent dies."""

import os
import select
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from socketserver import ThreadingTCPServer
from threading import Thread

from walkaway.playback.handler import Handler, RequestLog, Stage
from walkaway.playback.load import load
from walkaway.playback.prompter import Prompter
from walkaway.playback.script import Script

_HOST = "127.0.0.1"
_POLL_S = 0.05
_PARENT_POLL_S = 0.2


def serve(
    script_path: Path | str,
    port: int = 0,
    log: Path | str | None = None,
    on_ready: Callable[[int], object] | None = None,
    *,
    die_with_parent: int | None = None,
) -> None:
    """Serve the script on loopback until SIGTERM or SIGINT; call ``on_ready`` with the port once it answers.

    With ``die_with_parent``, end also once the parent process is no longer that one. Must be called in the
    main thread, where signals arrive. Raises `ScriptError` for a script that is not valid, `OSError` for a
    port that is taken or a log that cannot be written.
    """
    script = load(script_path)
    with _stop_signals() as stopped, _listening(script, port, log) as server:
        if on_ready is not None:
            on_ready(server.port)
        pause = None if die_with_parent is None else _PARENT_POLL_S
        while not select.select([stopped], [], [], pause)[0]:
            if die_with_parent is not None and os.getppid() != die_with_parent:
                return


@contextmanager
def running(script: Script | Path | str, log: Path | str | None = None) -> Iterator[str]:
    """Serve a script in a thread of this process on a free port; give the base URL, without a last slash."""
    loaded = script if isinstance(script, Script) else load(script)
    with _listening(loaded, 0, log) as server:
        yield f"http://{_HOST}:{server.port}"


@contextmanager
def _listening(script: Script, port: int, log: Path | str | None) -> Iterator["_Server"]:
    stage = Stage(Prompter(script), RequestLog(None if log is None else Path(log)))
    with _Server(port, stage) as server:
        thread = Thread(target=server.serve_forever, args=(_POLL_S,), name="playback", daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
            stage.end()


@contextmanager
def _stop_signals() -> Iterator[socket.socket]:
    """Give a socket that can be read once SIGTERM or SIGINT came; put the old handlers back at the end."""
    stopped, tell = socket.socketpair()
    with stopped, tell:
        before = {
            number: signal.signal(number, lambda _number, _frame: tell.send(b"x"))
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            yield stopped
        finally:
            for number, handler in before.items():
                signal.signal(number, signal.SIG_DFL if handler is None else handler)


class _Server(ThreadingTCPServer):
    """One thread per connection; none of them keeps the process alive."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, stage: Stage) -> None:
        """Bind loopback only; port 0 takes a free one."""
        super().__init__((_HOST, port), partial(Handler, stage))

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self.socket.getsockname()[1])
