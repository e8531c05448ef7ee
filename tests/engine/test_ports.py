"""The fakes of this suite and the real adapters pass the same suites."""

import shlex
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from walkaway.agent import Harness, ModelSettings
from walkaway.core.brief import Asked, Brief
from walkaway.core.errors import ProviderDown, ProviderRefused
from walkaway.core.model import Result
from walkaway.playback import running
from walkaway.testing.fake_verifier import FakeVerifier
from walkaway.testing.fakes import PATIENCE_S, FakeAgent, FakeWorkspace, Turn
from walkaway.testing.port_suite import *  # noqa: F403 - the suites
from walkaway.testing.port_suite import AgentStage, CheckBench, Says
from walkaway.testing.port_suite_merge import *  # noqa: F403 - the suites
from walkaway.testing.repository import GitRepository, Site
from walkaway.verify import ProjectChecks

FILES = {"a.txt": "a\n"}


@pytest.fixture(params=["in memory", "git"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    if request.param == "in memory":
        return FakeWorkspace(FILES)
    return GitRepository(tmp_path / "project", tmp_path / "state", FILES)


# ---- verifier ----------------------------------------------------------------------------------------------------


def fake_bench() -> CheckBench:
    directory = {"a.txt": "a\n"}
    verifier = FakeVerifier(lambda _path: directory, {"true": Result.PASS, "false": Result.FAIL, "hang": Result.PASS})
    verifier.hangs = {"hang"}
    verifier.known["count"] = Result.PASS
    return CheckBench(
        verifier=verifier,
        path="/anywhere",
        passes="true",
        fails="false",
        hangs="hang",
        missing="no-such-program",
        counted="count",
        count=lambda: [command for command, _ in verifier.ran].count("count"),
        wait_for_hanging=lambda: _soon(verifier.running),
        touch_lock=lambda: directory.update({"uv.lock": "2"}),
    )


def real_bench(tmp_path: Path) -> CheckBench:
    repository = GitRepository(tmp_path / "project", tmp_path / "state", FILES)
    counts, began = tmp_path / "counts", tmp_path / "began"
    counts.touch()
    return CheckBench(
        verifier=ProjectChecks(),
        path=str(repository.root),
        passes="true",
        fails="echo wrong; exit 3",
        hangs=f"echo began > {shlex.quote(str(began))}; exec sleep 600",
        missing="walkaway-no-such-program",
        counted=f"echo x >> {shlex.quote(str(counts))}",
        count=lambda: len(counts.read_text().splitlines()),
        wait_for_hanging=lambda: _appears(began),
        touch_lock=lambda: (repository.root / "uv.lock").write_text("2") and None,
    )


def _soon(event: threading.Event) -> None:
    assert event.wait(PATIENCE_S)


def _appears(path: Path) -> None:
    """Wait until another process or thread has written to a file."""
    tick = threading.Event()
    for _ in range(int(PATIENCE_S * 100)):
        if path.exists() and path.stat().st_size:
            return
        tick.wait(0.01)
    pytest.fail(f"{path} was never written")


@pytest.fixture(params=["in memory", "real"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> CheckBench:
    return fake_bench() if request.param == "in memory" else real_bench(tmp_path)


# ---- agent -------------------------------------------------------------------------------------------------------


class FakeStage:
    """The fake on a script."""

    def __init__(self, root: Path) -> None:
        self.cwd = root / "work"
        self.cwd.mkdir()
        self.agent = FakeAgent(self._turn, lambda cwd, name, text: (Path(cwd) / name).write_text(text) and None)
        self._left: list[Says] = []

    def script(self, *conversations: Says) -> None:
        self._left = list(conversations)

    def wait_for_hanging(self) -> None:
        _soon(self.agent.talking)

    def _turn(self, _brief: Brief) -> Turn:
        says = self._left.pop(0)
        error: Exception | None = None
        if says.status:
            error = ProviderDown("429", retry_after=says.retry_after) if says.status == 429 else ProviderRefused("401")
        return Turn(reports=says.reports, files=says.files, raises=error, until_cancelled=says.hangs, asks=says.asks)


class PlaybackStage:
    """The harness on a model that is a script, over HTTP."""

    agent: Harness

    def __init__(self, root: Path, stack: ExitStack) -> None:
        self.cwd = root / "work"
        self.cwd.mkdir()
        self._root = root
        self._stack = stack
        self._log = root / "log.jsonl"

    def script(self, *conversations: Says) -> None:
        lines = [
            {"unit": "execute-task *", "attempt": n, "say": _replies(says)} for n, says in enumerate(conversations, 1)
        ]
        path = self._root / "script.yaml"
        path.write_text(yaml.safe_dump({"units": lines}))
        url = self._stack.enter_context(running(path, self._log))
        settings = ModelSettings(name="openai:gpt-5", base_url=f"{url}/v1", api_key="none", backoff_s=0.01)
        self.agent = Harness(settings, now=lambda: 0.0)
        self._stack.callback(self.agent.close)

    def wait_for_hanging(self) -> None:
        _appears(self._log)


def _replies(says: Says) -> list[object]:
    if says.hangs:
        return [{"hang": 600}]
    if says.status:
        error = {"status": says.status} | ({"retry_after": says.retry_after} if says.retry_after else {})
        return [{"error": error, "times": 9}, {"text": "never"}]
    writes = [{"name": "write", "args": {"path": name, "content": text}} for name, text in says.files.items()]
    reports = [{"tools": [{"name": "report", "args": dict(report)}]} for report in says.reports]
    asks = [{"tools": [{"name": "ask", "args": _question(asked)}]} for asked in says.asks]
    return [*asks, *([{"tools": writes}] if writes else []), *reports]


def _question(asked: Asked) -> dict[str, object]:
    given = {"question": asked.text, "options": list(asked.options), "gate": asked.gate}
    return {name: value for name, value in given.items() if value}


@pytest.fixture(params=["in memory", "playback"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AgentStage]:
    with ExitStack() as stack:
        yield FakeStage(tmp_path) if request.param == "in memory" else PlaybackStage(tmp_path, stack)
