"""What playback cannot say: replies that no honest server sends. A canned server in front of it says them."""

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.agent.conftest import DONE, Stage, call
from walkaway.core.brief import Limits
from walkaway.core.errors import LimitReached, ProviderDown


def chunk(finish: str | None = None, **delta: object) -> dict[str, object]:
    """One event of a chat completion's stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "gpt-5", "choices": [choice]}


def tool_chunk(name: str, arguments: str) -> dict[str, object]:
    return chunk(
        tool_calls=[{"index": 0, "id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}]
    )


def sse(*chunks: dict[str, object], done: bool = True) -> bytes:
    events = [json.dumps(each) for each in chunks] + ["[DONE]"] * done
    return "".join(f"data: {event}\n\n" for event in events).encode()


@pytest.fixture
def front(stage: Stage) -> Iterator[Callable[..., str]]:
    """Serve canned replies first, then pass requests on to the server behind."""
    with ExitStack() as stack:

        def start(behind: str, *canned: bytes) -> str:
            left = list(canned)

            class Handler(BaseHTTPRequestHandler):
                def do_POST(self) -> None:
                    body = self.rfile.read(int(self.headers["Content-Length"]))
                    self.send_response(200)
                    self.send_header("Content-Type", "text/event-stream")
                    self.end_headers()
                    if left:
                        self.wfile.write(left.pop(0))
                        return
                    request = urllib.request.Request(behind + self.path, body, {"Content-Type": "application/json"})  # noqa: S310 - loopback
                    with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
                        self.wfile.write(answer.read())

                def log_message(self, *args: object) -> None:
                    """Nothing."""

            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_address[1]}"

        yield start


def test_a_cut_reply_is_asked_for_again_and_its_cost_is_counted(stage: Stage, front: Callable[..., str]) -> None:
    cut = sse(chunk(role="assistant"), chunk(content="I was about to"), done=False)
    outcome = stage.run(stage.harness(front(stage.serve(DONE), cut, cut)))
    assert outcome.requests == 1
    assert len([kind for kind, _ in stage.engine.seen if kind == "wait"]) == 2
    assert len(stage.engine.calls) == 1


def test_a_stream_of_nonsense_is_asked_for_again(stage: Stage, front: Callable[..., str]) -> None:
    assert stage.run(stage.harness(front(stage.serve(DONE), b"data: {]\n\n", b""))).requests == 1


def test_arguments_that_are_no_json_are_told_to_the_model(stage: Stage, front: Callable[..., str]) -> None:
    bad = sse(tool_chunk("write", '{"path": "a'), chunk("tool_calls"))
    report = sse(tool_chunk("report", "[1]"), chunk("tool_calls"))
    outcome = stage.run(stage.harness(front(stage.serve(DONE, DONE, DONE), bad, report)))
    assert outcome.requests == 3
    assert "no JSON object" in stage.results()[0]
    assert stage.engine.reports == ['{"summary": "done"}']


def test_a_call_cut_off_by_the_output_limit_is_told_apart(stage: Stage, front: Callable[..., str]) -> None:
    bad = sse(tool_chunk("write", '{"path": "a'), chunk("length"))
    stage.run(stage.harness(front(stage.serve(DONE, DONE), bad)))
    assert "smaller parts" in stage.results()[0]


def test_an_empty_reply_is_a_reply_without_a_call(stage: Stage, front: Callable[..., str]) -> None:
    empty = sse(chunk("stop", role="assistant", content=""))
    with pytest.raises(LimitReached, match="reminded"):
        stage.run(stage.harness(front(stage.serve(DONE), *[empty] * 4)))


def test_a_server_that_counts_no_tokens_is_counted_by_estimate(stage: Stage, front: Callable[..., str]) -> None:
    reply = sse(tool_chunk("ls", "{}"), chunk("tool_calls"))
    stage.run(stage.harness(front(stage.serve(DONE, DONE), reply)))
    first = stage.engine.calls[0]
    assert first.usd is None
    assert 300 < first.input_tokens < 3000
    assert first.output_tokens > 0


def test_a_cut_reply_of_unknown_cost_still_counts_against_the_cap(stage: Stage, front: Callable[..., str]) -> None:
    cut = sse(chunk(role="assistant"), chunk(content="word " * 2000), done=False)
    with pytest.raises(LimitReached, match="tokens"):
        stage.run(stage.harness(front(stage.serve(DONE), cut)), stage.brief(limits=Limits(tokens=4000)))
    assert stage.engine.calls == []


def test_a_connection_that_breaks_is_a_provider_that_is_down(stage: Stage, front: Callable[..., str]) -> None:
    url = front("http://127.0.0.1:9")
    with pytest.raises(ProviderDown):
        stage.run(stage.harness(url), stage.brief(limits=Limits(wait_s=0.01)))


def test_two_reports_in_one_reply_are_judged_in_turn(stage: Stage) -> None:
    stage.engine.refusals = ["no"]
    both = {"tools": [call("report", summary="a"), call("report", summary="b")]}
    assert json.loads(stage.play(both).report) == {"summary": "b"}
