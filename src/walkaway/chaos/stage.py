"""Where it happens: a repository, a project, its milestones, the scripted model, and workers as processes."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from walkaway import proc
from walkaway.chaos.plan import Json, Plan
from walkaway.core.errors import CannotRun
from walkaway.layout import Layout

PATIENCE_S = 120.0
MODEL = "openai-chat:gpt-5"
PERSON = ("-c", "user.name=walkaway chaos", "-c", "user.email=chaos@localhost")
"""Who commits to the project beside walkaway."""

README = "What chaos builds.\n"
_KEY = "WALKAWAY_CHAOS_KEY"


@dataclass(slots=True)
class Stage:
    """One project in a folder of its own, on SQLite or on the database that ``url`` names."""

    root: Path
    plan: Plan
    url: str = ""
    ttl_s: float = 2.0
    checks: str = '["true"]'
    model: str = ""
    """The base URL of the scripted model, while it is served."""
    started: list[proc.Background] = field(default_factory=list)

    @property
    def project(self) -> Path:
        """The repository, its branch ``main`` checked out."""
        return self.root / "project"

    @property
    def place(self) -> Layout:
        """Where its state is."""
        return Layout(str(self.project))

    @property
    def scratch(self) -> Path:
        """What its processes take for the folder of temporary files: a killed one leaves them there."""
        return self.root / "tmp"

    @property
    def requests(self) -> Path:
        """One line for each request to the model."""
        return self.root / "playback.jsonl"

    def set_up(self) -> None:
        """Make the repository and the project, and hand in the specifications."""
        self.project.mkdir(parents=True, exist_ok=True)
        self.scratch.mkdir()
        (self.project / "README").write_text(README, encoding="utf-8")
        self.git("init", "--quiet", "-b", "main")
        self.git("add", "--all")
        self.git(*PERSON, "commit", "--quiet", "--message", "Begin")
        self.walkaway("init")
        for milestone in self.plan.names():
            self.walkaway("new", "--spec", str(self.specification(milestone)))

    def specification(self, milestone: str) -> Path:
        """Write the specification of a milestone and return where it is."""
        spec = self.root / f"spec-{milestone}.md"
        spec.write_text(f"# Files of {milestone}\n\nWrite the files of {milestone}.\n", encoding="utf-8")
        return spec

    @contextmanager
    def playing(self, before: Mapping[str, Sequence[Json]] | None = None) -> Iterator[str]:
        """Serve the scripted model from a process of its own; its base URL is `model` meanwhile."""
        script = self.root / "script.yaml"
        script.write_text(json.dumps(self.plan.script(before)), encoding="utf-8")
        served = self.serve(script)
        try:
            yield self.answering(served)
        finally:
            self.model = ""
            served.kill()

    def serve(self, script: Path, port: int = 0) -> proc.Background:
        """Start a process that serves ``script``, on a free port where none is named."""
        words = ("playback", str(script), "--port", str(port), "--log", str(self.requests))
        command = self.command(*words, "--parent", str(os.getpid()))
        served = proc.Background(command, self.root, self.root / "playback.out", self.environment())
        self.started.append(served)
        return served

    def answering(self, served: proc.Background) -> str:
        """Wait until the scripted model answers, and return its base URL, which is `model` from now on."""
        self.until(lambda: "\n" in served.output(), "the scripted model answers")
        self.model = served.output().splitlines()[0]
        return self.model

    # ---- processes --------------------------------------------------------------------------------------------------

    def start(self, *words: str, log: str = "auto") -> proc.Background:
        """Start a command of walkaway's (default: ``auto --json``) in the background; `end` ends it."""
        args = words or ("auto", "--json")
        path = self.root / f"{log}-{len(self.started) + 1}.jsonl"
        begun = proc.Background(self.command(*args), self.project, path, self.environment())
        self.started.append(begun)
        return begun

    def end(self) -> None:
        """End every process that was started, and all they started."""
        for begun in self.started:
            if begun.poll() is None:
                begun.signal(signal.SIGCONT)
            begun.kill(0.1)

    def run(self, *words: str, timeout_s: float = PATIENCE_S) -> proc.Done:
        """Run a command of walkaway's to its end."""
        return proc.run(self.command(*words), self.project, self.environment(), timeout_s, die_with_parent=True)

    def walkaway(self, *words: str) -> str:
        """Run a command of walkaway's that has to succeed, and return what it printed."""
        return self._must(self.command(*words))

    def git(self, *words: str) -> str:
        """Run git in the project and return what it printed."""
        return self._must(["git", *words])

    def query(self) -> dict[str, object]:
        """Return what `walkaway query` prints."""
        found: dict[str, object] = json.loads(self.walkaway("query"))
        return found

    def command(self, *words: str) -> list[str]:
        """Return the command line that is this very walkaway."""
        return [sys.executable, "-m", "walkaway", *words]

    def environment(self) -> dict[str, str]:
        """Return the environment of its processes: nobody's own settings, the model where it is served."""
        env = {
            name: value for name, value in proc.scrub(proc.environment()).items() if not name.startswith("WALKAWAY_")
        }
        env.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_SYSTEM=os.devnull)
        env.update(
            XDG_CONFIG_HOME=str(self.root / ".config"),
            TMPDIR=str(self.scratch),
            WALKAWAY_MODEL__NAME=MODEL,
            WALKAWAY_CHECKS__COMMANDS=self.checks,
            WALKAWAY_SETUP__COMMANDS="[]",
            WALKAWAY_LEASE__TTL_S=str(self.ttl_s),
        )
        if self.url:
            env["WALKAWAY_DATABASE__URL"] = self.url
        if self.model:
            env.update(WALKAWAY_MODEL__BASE_URL=f"{self.model}/v1", WALKAWAY_MODEL__API_KEY_ENV=_KEY)
            env[_KEY] = "none"
        return env

    def until(self, reached: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> None:
        """Return when something is so; raise `CannotRun`, naming it, after ``seconds``."""
        end = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > end:
                raise CannotRun(f"Waited {seconds:.0f} s until {what}; it did not happen.")
            threading.Event().wait(0.01)

    def _must(self, command: list[str]) -> str:
        done = proc.run(command, self.project, self.environment(), PATIENCE_S, die_with_parent=True)
        if done.exit_code != 0:
            said = (done.stderr.strip() or done.output.strip())[-2000:]
            raise CannotRun(f"'{' '.join(command[1:])}' ended with {done.exit_code}: {said}")
        return done.output


def told(begun: proc.Background) -> list[Mapping[str, object]]:
    """Return the lines of JSON that a process has printed so far."""
    return [json.loads(line) for line in begun.output(1 << 24).splitlines() if line.startswith("{")]


def result_of(begun: proc.Background) -> Mapping[str, object]:
    """Return the last line of a run; empty where it printed none."""
    return next((line for line in reversed(told(begun)) if line.get("type") == "result"), {})
