"""The server as a process and over plain HTTP: pages, headers, shapes, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from walkaway.playback import ScriptError, running, serve
from walkaway.playback.load import parse

Play = Callable[[str], str]

HELLO = "units: [{unit: 'a *', say: [{text: hello}]}]"
PATHS = ("/v1/chat/completions", "/v1/responses", "/v1/messages")
PATIENCE_S = 20
SERVE = """
import os, sys
from walkaway.playback import serve
parent = os.getppid() if sys.argv[2:] else None
serve(sys.argv[1], on_ready=lambda port: print(port, flush=True), die_with_parent=parent)
"""
PARENT = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', *sys.argv[1:], 'die']))"


def request_of(**more: object) -> bytes:
    text = "Unit: a M001"
    return json.dumps({"messages": [{"role": "user", "content": text}], "input": text, **more}).encode()


def call(url: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
    """Send one request without any client library."""
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_S)) as connection:
        connection.request("GET" if body is None else "POST", path, body)
        response = connection.getresponse()
        return (
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            response.read(),
        )


@contextmanager
def process(code: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a server as a process of its own; give it with its port once it is ready."""
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server, int(server.stdout.readline())
        finally:
            server.kill()


@pytest.fixture
def hanging(tmp_path: Path) -> Path:
    path = tmp_path / "script.yaml"
    path.write_text("units: [{unit: 'a *', say: [{text: hello, hang: 600}]}]")
    return path


def test_models_and_health_answer(play: Play) -> None:
    url = play(HELLO)
    status, _, body = call(url, "/v1/models")
    assert (status, json.loads(body)["data"][0]["id"]) == (200, "playback")
    assert call(url, "/health")[0] == 200
    assert call(url, "/nowhere")[0] == 404
    assert call(url, "/v1/embeddings", b"{}")[0] == 404


def test_a_body_that_is_no_json_object_is_refused_in_the_protocols_shape(play: Play) -> None:
    url = play(HELLO)
    for path in PATHS:
        for body in (b"", b"{", b"[]", b"\xff"):
            status, _, answer = call(url, path, body)
            assert (status, json.loads(answer)["error"]["type"]) == (400, "invalid_request_error")


def test_every_request_is_logged_even_those_that_name_no_unit(play: Play, tmp_path: Path) -> None:
    url = play(HELLO)
    call(url, "/health")
    call(url, "/v1/messages?beta=true", b"{}")
    call(url, "/v1/messages", b"nonsense")
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(line["path"], line["unit"], line["attempt"], line["bytes"], line["status"]) for line in lines] == [
        ("/health", None, None, 0, 200),
        ("/v1/messages", None, None, 2, 400),
        ("/v1/messages", None, None, 8, 400),
    ]


def test_errors_have_the_protocols_own_shape_and_say_when_to_come_back(play: Play) -> None:
    script = "units: [{unit: 'a *', say: [{error: {status: 429, retry_after: 30, message: slow}, times: 3}]}]"
    url = play(script)
    shapes = []
    for path in PATHS:
        status, headers, body = call(url, path, request_of())
        assert (status, headers["retry-after"]) == (429, "30")
        shapes.append(json.loads(body))
    openai = {
        "message": "slow",
        "type": "invalid_request_error",
        "param": None,
        "code": "rate_limit_exceeded",
    }
    anthropic = {"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}}
    assert shapes == [{"error": openai}, {"error": openai}, anthropic]


def test_a_chat_stream_tells_its_usage_only_when_asked(play: Play) -> None:
    url = play(HELLO)
    quiet = call(url, PATHS[0], request_of(stream=True))[2].decode()
    asked = call(url, PATHS[0], request_of(stream=True, stream_options={"include_usage": True}))[2].decode()
    assert '"usage"' not in quiet
    last = json.loads(asked.split("\n\n")[-3].removeprefix("data: "))
    assert (last["choices"], last["usage"]["completion_tokens"]) == ([], 2)
    assert asked.endswith("data: [DONE]\n\n")


def test_a_cut_stream_has_exactly_so_many_events_and_a_cut_body_less_than_it_announced(play: Play) -> None:
    url = play("units: [{unit: 'a *', say: [{text: hello, cut: 2}]}]")
    for path in PATHS:
        body = call(url, path, request_of(stream=True))[2]
        assert body.count(b"\n\n") == 2
        with pytest.raises(IncompleteRead):
            call(url, path, request_of())


def test_one_connection_serves_many_requests(play: Play) -> None:
    with closing(HTTPConnection(urlsplit(play(HELLO)).netloc, timeout=PATIENCE_S)) as connection:
        connection.connect()
        kept = connection.sock
        for stream in (False, True, False):
            connection.request("POST", PATHS[0], request_of(stream=stream))
            assert b"hello" in connection.getresponse().read()
        assert connection.sock is kept


def test_a_stream_that_hangs_ends_with_the_server() -> None:
    script = parse({"units": [{"unit": "a *", "say": [{"text": "hello", "hang": 600}]}]})
    with closing(socket.socket()) as client:
        with running(script) as url:
            client.connect((urlsplit(url).hostname, urlsplit(url).port))
            body = request_of(stream=True)
            client.sendall(b"POST /responses HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            received = b""
            while b"response.created" not in received and (data := client.recv(65536)):
                received += data
        while data := client.recv(65536):
            received += data
    assert b"response.created" in received
    assert b"hello" not in received


def test_a_connection_that_waits_for_its_next_request_ends_with_the_server() -> None:
    with closing(socket.socket()) as client:
        client.settimeout(PATIENCE_S)
        with running(parse({"units": []})) as url:
            client.connect((urlsplit(url).hostname, urlsplit(url).port))
            client.sendall(b"GET /health HTTP/1.1\r\n\r\n")
            assert client.recv(65536).startswith(b"HTTP/1.1 200")
        while client.recv(65536):
            pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_at_once_though_a_stream_is_open(hanging: Path, number: signal.Signals) -> None:
    with (
        process(SERVE, str(hanging)) as (server, port),
        closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as connection,
    ):
        connection.request("POST", PATHS[2], request_of(stream=True))
        assert connection.getresponse().readline() == b"event: message_start\n"
        server.send_signal(number)
        assert server.wait(PATIENCE_S) == 0


def test_the_server_ends_once_its_parent_is_gone(hanging: Path) -> None:
    with process(PARENT, SERVE, str(hanging)) as (parent, port):
        assert call(f"http://127.0.0.1:{port}", "/health")[0] == 200
        parent.kill()
        rest, _ = parent.communicate(timeout=PATIENCE_S)  # ends when the server closes the pipe it shares
        assert rest == ""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)


def test_only_loopback_is_served_and_only_from_a_port_that_is_free(hanging: Path) -> None:
    with process(SERVE, str(hanging)) as (_, port):
        with pytest.raises(OSError, match="in use"):
            serve(hanging, port)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=PATIENCE_S)


def test_a_bad_script_or_log_is_refused_before_anything_is_served(hanging: Path, tmp_path: Path) -> None:
    ready: list[int] = []
    with pytest.raises(OSError, match="No such file"):
        serve(hanging, log=tmp_path / "missing" / "log.jsonl", on_ready=ready.append)
    hanging.write_text("units: 3")
    with pytest.raises(ScriptError):
        serve(hanging, on_ready=ready.append)
    assert ready == []


def test_serve_gives_the_old_signal_handlers_back(hanging: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    serve(hanging, on_ready=lambda _port: os.kill(os.getpid(), signal.SIGTERM))
    assert signal.getsignal(signal.SIGTERM) is before
