"""Where a demonstration takes place: its folder, the project in it, and the environment of its processes.

Rule: every step of setting it up may have been begun before and killed anywhere; doing it again completes it.
"""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from walkaway import proc
from walkaway.core.errors import CannotRun, Usage
from walkaway.demo.plot import SHORT, Plot

MODEL = "openai-chat:gpt-5"
"""Whose protocol playback speaks here, and whose prices the tokens are counted at."""

PATIENCE_S = 300.0
"""How long a command that sets something up may take before it is taken for hanging."""

_KEY = "WALKAWAY_DEMO_KEY"
_WHO = ("-c", "user.name=walkaway demo", "-c", "user.email=demo@localhost")
_PASSED_ON = ("WALKAWAY_LEASE__", "WALKAWAY_DATABASE__")


@dataclass(frozen=True, slots=True)
class Stage:
    """The paths of one demonstration."""

    root: Path
    plot: Plot = SHORT

    @property
    def project(self) -> Path:
        """The project's repository, its branch ``main`` checked out."""
        return self.root / "project"

    @property
    def spec(self) -> Path:
        """The specification that is handed in."""
        return self.root / "spec.md"

    @property
    def script(self) -> Path:
        """What the model says."""
        return self.root / "script.yaml"

    @property
    def answers(self) -> Path:
        """What a person has written down before."""
        return self.root / "answers.toml"

    @property
    def requests(self) -> Path:
        """One line for each request to the model, of all runs."""
        return self.root / "playback.jsonl"

    @property
    def pid(self) -> Path:
        """The number of the running `walkaway auto`, or of the last one."""
        return self.root / "auto.pid"

    @property
    def auto_log(self) -> Path:
        """What `walkaway auto` said, in all runs."""
        return self.root / "auto.jsonl"

    @property
    def playback_log(self) -> Path:
        """What playback said, in all runs."""
        return self.root / "playback.out"

    # ---- setting up ----------------------------------------------------------------------------------------------

    def set_up(self) -> None:
        """Have the texts and the repository there; raise `Usage` where the folder is somebody else's or of no use."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            if self.project.exists() and not self.script.exists():
                raise Usage(f"{self.project} is there already and is not the demo's: name another folder with --keep.")
            self.pid.unlink(missing_ok=True)
            spec, script = (_text(name) for name in (self.plot.spec, self.plot.script))
            for path, text in ((self.spec, spec), (self.script, script), (self.answers, self.plot.answers)):
                if text and not path.exists():
                    put(path, text)
            if self.spec.read_text(encoding="utf-8") != spec:
                raise Usage(f"{self.root} holds the other demo: go on with or without --full, or elsewhere.")
            if not self.project.exists():
                self._make_project()
        except OSError as error:
            raise Usage(f"The demo cannot use {self.root}: {error.strerror or error}.") from error

    def _make_project(self) -> None:
        """Make the repository beside its place and move it there in one step: it is whole, or it is not there."""
        fresh = self.root / ".project.new"
        if fresh.exists():
            shutil.rmtree(fresh)
        fresh.mkdir()
        put(fresh / "README.md", self.plot.readme)
        put(fresh / ".gitignore", "__pycache__/\n")
        self.git("init", "--quiet", "-b", "main", cwd=fresh)
        self.git("add", "--all", cwd=fresh)
        self.git(*_WHO, "commit", "--quiet", "--message", "Begin with a name", cwd=fresh)
        fresh.rename(self.project)

    def disturb(self, unit: str) -> str:
        """Commit what the plot's neighbour does after a unit, once; return what to say of it, or ""."""
        theirs = self.plot.neighbour
        if theirs is None or theirs.after != unit:
            return ""
        path = self.project / theirs.path
        if path.read_text(encoding="utf-8") == theirs.text:
            return ""
        put(path, theirs.text)
        self.git(*_WHO, "commit", "--quiet", "--message", theirs.message, "--", theirs.path)
        return f"Meanwhile somebody commits to main: {theirs.message} ({theirs.path})."

    # ---- running programs ----------------------------------------------------------------------------------------

    def git(self, *args: str, cwd: Path | None = None) -> str:
        """Run git in the project and return what it printed; `CannotRun` unless it exits with 0."""
        return self._must(["git", *args], cwd or self.project)

    def walkaway(self, *args: str) -> str:
        """Run a command of walkaway's in the project and return what it printed; `CannotRun` unless it exits with 0."""
        return self._must(self.command(*args), self.project)

    def command(self, *args: str) -> list[str]:
        """Return the command line that is this very walkaway."""
        return [sys.executable, "-m", "walkaway", *args]

    def try_out(self, args: Sequence[str]) -> proc.Done:
        """Run a Python program of the project, its output in the order written, and leave no byte code behind."""
        env = {**self.environment(), "PYTHONDONTWRITEBYTECODE": "1"}
        return proc.run([sys.executable, *args], self.project, env, PATIENCE_S, merge=True, die_with_parent=True)

    def _must(self, command: list[str], cwd: Path) -> str:
        words = " ".join(command).replace(f"{sys.executable} -m ", "")
        try:
            done = proc.run(command, cwd, self.environment(), PATIENCE_S, die_with_parent=True)
        except OSError as error:
            raise CannotRun(f"'{words}' cannot be started: {error.strerror or error}.") from error
        if done.exit_code != 0:
            how = "did not end" if done.exit_code is None else f"ended with exit code {done.exit_code}"
            raise CannotRun(f"'{words}' {how}: {(done.stderr.strip() or done.output.strip())[-2000:]}")
        return done.output

    def environment(self, url: str = "") -> Mapping[str, str]:
        """Return the environment of the demo's processes: no secret, nobody's own settings, the model at ``url``.

        Where the state lives and how long a worker is believed may be said from outside, as for any run.
        """
        ours = proc.environment()
        env = {name: value for name, value in proc.scrub(ours).items() if not name.startswith("WALKAWAY_")}
        env.update({name: value for name, value in ours.items() if name.startswith(_PASSED_ON)})
        env.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_SYSTEM=os.devnull)
        env["XDG_CONFIG_HOME"] = str(self.root / ".config")
        env["WALKAWAY_MODEL__NAME"] = MODEL
        env.update(self.plot.settings)
        if url:
            env.update(WALKAWAY_MODEL__BASE_URL=f"{url}/v1", WALKAWAY_MODEL__API_KEY_ENV=_KEY)
            env[_KEY] = "a-script-needs-no-key"
        return env


def _text(name: str) -> str:
    return resources.files("walkaway.demo").joinpath(name).read_text(encoding="utf-8")


def put(path: Path, text: str) -> None:
    """Write a file in one step: whoever looks finds all of it, or what was there before."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
