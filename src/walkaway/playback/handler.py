"""One HTTP connection: read a request, ask for its line, write it down, send it."""

import json
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import BaseServer
from threading import Event, Lock
from urllib.parse import urlsplit

from walkaway.playback.anthropic import MESSAGES
from walkaway.playback.conversation import locate
from walkaway.playback.openai_chat import CHAT, openai_error
from walkaway.playback.openai_responses import RESPONSES
from walkaway.playback.prompter import Prompter
from walkaway.playback.script import Failure, Place, Reply
from walkaway.playback.wire import Answer, Dialect, Json, Stream, answer_to, encode, members

_DIALECTS = {"/chat/completions": CHAT, "/responses": RESPONSES, "/messages": MESSAGES}
_MODEL = {"id": "playback", "object": "model", "type": "model", "created": 0, "owned_by": "playback"}
_PAGES: dict[str, Json] = {
    "/models": {"object": "list", "data": [_MODEL], "has_more": False},
    "/health": {"status": "ok"},
}
_NOWHERE = Place(unit=None, attempt=None, step=0)


class ServerEndedError(ConnectionAbortedError):
    """The server ends while a reply was waiting for its time."""


class RequestLog:
    """A file that gets one JSON line per request, at the time the request's status is decided."""

    def __init__(self, path: Path | None) -> None:
        """Make the file if there is none, so that a path that cannot be written is refused at once."""
        self._path = path
        self._append(b"")

    def write(self, *, path: str, place: Place, size: int, status: int) -> None:
        """Append one line in one write, so that lines of several processes do not mix."""
        line = {
            "t": time.time(),
            "path": path,
            "unit": place.unit,
            "attempt": place.attempt,
            "step": place.step,
            "bytes": size,
            "status": status,
        }
        self._append(encode(line) + b"\n")

    def _append(self, data: bytes) -> None:
        if self._path is None:
            return
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, data)
        finally:
            os.close(file)


class Stage:
    """What all connections share: the prompter, the log, and the server's end."""

    def __init__(self, prompter: Prompter, log: RequestLog) -> None:
        """Start without a connection."""
        self.prompter = prompter
        self.log = log
        self._ended = Event()
        self._open: set[socket.socket] = set()
        self._lock = Lock()

    def wait(self, seconds: float) -> None:
        """Let ``seconds`` pass; raise `ServerEndedError` where the server ends before that."""
        if seconds and self._ended.wait(seconds):
            raise ServerEndedError

    @contextmanager
    def connected(self, connection: socket.socket) -> Iterator[None]:
        """Count ``connection`` among those that the server's end cuts off."""
        with self._lock:
            if self._ended.is_set():
                raise ServerEndedError
            self._open.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._open.remove(connection)

    def end(self) -> None:
        """Wake all that wait and cut off all connections, so that their threads end."""
        with self._lock:
            self._ended.set()
            for connection in self._open:
                with suppress(OSError):  # the client hung up first
                    connection.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(
        self, stage: Stage, request: socket.socket, client_address: tuple[str, int], server: BaseServer
    ) -> None:
        """Serve the connection until its end; this is how the standard library's handlers work."""
        self._stage = stage
        super().__init__(request, client_address, server)

    def handle(self) -> None:
        """Answer requests until the client leaves or the server ends; neither is an error."""
        with suppress(ConnectionError), self._stage.connected(self.connection):
            super().handle()

    def do_GET(self) -> None:
        """Answer the pages that are not models: the list of models, and whether the server is well."""
        page = next((page for path, page in _PAGES.items() if self._path.endswith(path)), None)
        status = HTTPStatus.NOT_FOUND if page is None else HTTPStatus.OK
        self._note(_NOWHERE, 0, status)
        self._send(status, page or openai_error(status, f"playback: there is no page {self._path}"))

    def do_POST(self) -> None:
        """Answer a request to a model with its line of the script."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        dialect = next((each for path, each in _DIALECTS.items() if self._path.endswith(path)), None)
        request = _parse(body)
        if dialect is None:
            error = Failure(status=HTTPStatus.NOT_FOUND, message=f"playback: there is no page {self._path}")
            self._fail(CHAT, _NOWHERE, len(body), error)
        elif request is None:
            error = Failure(status=HTTPStatus.BAD_REQUEST, message="playback: the body is not a JSON object")
            self._fail(dialect, _NOWHERE, len(body), error)
        else:
            self._perform(dialect, request, len(body))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Print nothing; the request log is the only record."""

    @property
    def _path(self) -> str:
        return urlsplit(self.path).path

    def _perform(self, dialect: Dialect, request: Json, size: int) -> None:
        place = locate(dialect.turns(request))
        said = self._stage.prompter.answer(place)
        if isinstance(said, Failure):
            self._fail(dialect, place, size, said)
            return
        self._note(place, size, HTTPStatus.OK)
        self._stage.wait(said.delay)
        answer = answer_to(request, size, place, said, int(time.time()))
        if request.get("stream") is True:
            self._send_stream(said, dialect.stream(answer))
        else:
            self._send_whole(dialect, answer)

    def _fail(self, dialect: Dialect, place: Place, size: int, failure: Failure) -> None:
        self._note(place, size, failure.status)
        self._stage.wait(failure.delay)
        self._send(failure.status, dialect.error(failure.status, failure.message), failure.retry_after)

    def _send_whole(self, dialect: Dialect, answer: Answer) -> None:
        self._stage.wait(answer.reply.hang)
        self._send(HTTPStatus.OK, dialect.whole(answer), cut=answer.reply.cut is not None)

    def _send_stream(self, reply: Reply, stream: Stream) -> None:
        events = (*stream.body, *stream.finish) if reply.cut is None else stream.body[: reply.cut]
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._send_events(events[:1])
        self._stage.wait(reply.hang)
        self._send_events(events[1:])
        self.wfile.write(b"0\r\n\r\n")

    def _send_events(self, events: Sequence[bytes]) -> None:
        self.wfile.write(b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in events))

    def _send(self, status: int, content: Json, retry_after: float | None = None, *, cut: bool = False) -> None:
        """Send a JSON body with its true length; where it is ``cut``, end the connection half-way."""
        body = encode(content)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if retry_after is not None:
            self.send_header("Retry-After", f"{retry_after:.3f}".rstrip("0").rstrip("."))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = self.close_connection or cut

    def _note(self, place: Place, size: int, status: int) -> None:
        self._stage.log.write(path=self._path, place=place, size=size, status=status)


def _parse(body: bytes) -> Json | None:
    try:
        request: object = json.loads(body)
    except ValueError:
        return None
    return members(request) if isinstance(request, dict) else None
