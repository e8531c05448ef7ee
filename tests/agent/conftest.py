"""What the agent tests share: a served script, a harness on it, and an engine that writes down what it is told."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from walkaway.agent import Harness, ModelSettings
from walkaway.core.brief import Asked, Brief, Desk, Limits, ModelCall, Outcome, Told, Watch
from walkaway.core.grant import BUILDING, Grant
from walkaway.playback import running

PROTOCOLS = ("openai-chat", "openai-responses", "anthropic")
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"summary": {"type": "string"}},
        "required": ["summary"],
        "additionalProperties": False,
    }
)
DONE = {"tools": [{"name": "report", "args": {"summary": "done"}}]}


@dataclass
class Engine:
    """The engine's side of a conversation, written down."""

    refusals: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    calls: list[ModelCall] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)
    gates: int = 0
    on_seen: Callable[[str, str], None] = lambda _kind, _text: None
    on_gate: Callable[[], None] = lambda: None
    asked: list[Asked] = field(default_factory=list)
    answers: Callable[[Asked], Told] = lambda _asked: Told(text="yes")
    pending: Callable[[], str] = lambda: ""
    changed: threading.Condition = field(default_factory=threading.Condition)

    def desk(self) -> Desk:
        return Desk(schema=SCHEMA, submit=self._submit)

    def watch(self) -> Watch:
        return Watch(gate=self._gate, spent=self.calls.append, saw=self._saw, asks=self._asks, pending=self.pending)

    def wait_for(self, kind: str, text: str = "", seconds: float = 10) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: any(k == kind and text in t for k, t in self.seen), seconds)

    def _submit(self, report: str) -> str:
        self.reports.append(report)
        return self.refusals.pop(0) if self.refusals else ""

    def _asks(self, asked: Asked) -> Told:
        self.asked.append(asked)
        return self.answers(asked)

    def _gate(self) -> None:
        self.gates += 1
        self.on_gate()

    def _saw(self, kind: str, text: str) -> None:
        with self.changed:
            self.seen.append((kind, text))
            self.changed.notify_all()
        self.on_seen(kind, text)


@dataclass
class Stage:
    """A folder to work in, a served script and a harness to send there."""

    root: Path
    stack: ExitStack
    engine: Engine = field(default_factory=Engine)
    number: Iterator[int] = field(default_factory=itertools.count)

    @property
    def cwd(self) -> Path:
        return self.root / "work"

    @property
    def transcript(self) -> Path:
        return self.root / "transcripts" / "d1.jsonl"

    def serve(self, *say: object) -> str:
        """Serve the replies; give the base URL without a last slash."""
        path = self.root / f"script{next(self.number)}.yaml"
        path.write_text(yaml.safe_dump({"units": [{"unit": "execute-task *", "say": list(say)}]}))
        return self.stack.enter_context(running(path, self.root / "log.jsonl"))

    def harness(
        self,
        url: str,
        protocol: str = "openai-chat",
        guard: Callable[[str], AbstractContextManager[None]] = lambda _cwd: nullcontext(),
        **settings: object,
    ) -> Harness:
        base = url if protocol == "anthropic" else f"{url}/v1"
        model = {"openai-chat": "gpt-5", "openai-responses": "gpt-5", "anthropic": "claude-sonnet-4-6"}[protocol]
        wanted = {
            "name": f"{protocol}:{model}",
            "base_url": base,
            "api_key": "canary-key",
            "backoff_s": 0.02,
            **settings,
        }
        harness = Harness(ModelSettings(**wanted), now=lambda: 1.0, guard=guard)
        self.stack.callback(harness.close)
        return harness

    def brief(self, grant: Grant = BUILDING, limits: Limits | None = None, prompt: str = "Do it.") -> Brief:
        return Brief(
            unit="execute-task M001/S01/T01",
            attempt=1,
            system="You build.",
            prompt=f"Unit: execute-task M001/S01/T01 (attempt 1)\n{prompt}",
            grant=grant,
            limits=limits or Limits(idle_s=30, total_s=60, wait_s=5),
        )

    def run(self, harness: Harness, brief: Brief | None = None) -> Outcome:
        return harness.run(
            brief or self.brief(), str(self.cwd), self.engine.desk(), self.engine.watch(), str(self.transcript)
        )

    def play(self, *say: object, protocol: str = "openai-chat", limits: Limits | None = None) -> Outcome:
        """Serve, run, return."""
        return self.run(self.harness(self.serve(*say), protocol), self.brief(limits=limits))

    def requests(self) -> list[dict[str, object]]:
        """What the server was asked, in order."""
        return [json.loads(line) for line in (self.root / "log.jsonl").read_text().splitlines()]

    def events(self) -> list[dict[str, object]]:
        """The transcript."""
        return [json.loads(line) for line in self.transcript.read_text().splitlines()]

    def results(self) -> list[str]:
        """What the model was told by its tools."""
        return [str(event["text"]) for event in self.events() if event["event"] == "result"]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with ExitStack() as stack:
        made = Stage(tmp_path, stack)
        made.cwd.mkdir()
        yield made


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def call(name: str, **args: object) -> dict[str, object]:
    """One tool call of a scripted reply."""
    return {"name": name, "args": args}
