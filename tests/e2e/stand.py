"""One project, one scripted model, and the real command line between them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from walkaway.playback import running

WALKAWAY = Path(sys.executable).parent / "walkaway"

Json = dict[str, Any]
Reply = Mapping[str, object]


def call(name: str, **args: object) -> Json:
    """Return a reply that calls one tool."""
    return {"tools": [{"name": name, "args": args}]}


def work(file: str = "work.txt") -> Json:
    """Return a reply that changes a file."""
    return call("bash", command=f"echo more >> {file}")


def line(unit: str, *say: Reply, when: str = "") -> Json:
    """Return a line of a script."""
    return {"unit": unit, "say": [*say], **({"when": when} if when else {})}


@dataclass(frozen=True)
class Stand:
    """A project with one milestone, and the environment that its commands get."""

    project: Path
    env: Mapping[str, str]

    def run(self, *args: str, code: int = 0) -> str:
        """Run a command of walkaway's, which has to end with ``code``."""
        done = subprocess.run(
            [WALKAWAY, *args], cwd=self.project, env={**os.environ, **self.env}, capture_output=True, text=True,
            timeout=120, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def auto(self, *args: str, code: int = 0) -> Json:
        """Let it work, and return its last line."""
        result: Json = json.loads(self.run("auto", "--json", *args, code=code).splitlines()[-1])
        return result

    def ran(self) -> list[str]:
        """Return the units that were completed, in order."""
        rows = [row for rows in json.loads(self.run("units", "--json"))["milestones"].values() for row in rows]
        return [row["unit"] for row in rows if row["status"] == "completed"]

    def facts(self, event: str) -> list[Json]:
        """Return what the journal tells of one kind."""
        entries = [json.loads(text) for text in self.run("log", "--json").splitlines()]
        return [entry["body"] for entry in entries if entry["event"] == event]


@contextmanager
def standing(folder: Path, script: Sequence[Json], **settings: str) -> Iterator[Stand]:
    """Make a project with one specification, served by ``script``; ``settings`` like ``WORKFLOW__PROFILE``."""
    told, spec = folder / "script.yaml", folder / "spec.md"
    told.write_text(yaml.safe_dump({"units": [*script]}), encoding="utf-8")
    spec.write_text("# Words\n\nWrite words.\n", encoding="utf-8")
    (folder / "project").mkdir()
    with running(told, folder / "log.jsonl") as url:
        env = {
            "STAND_KEY": "no-key-is-needed",
            "WALKAWAY_MODEL__NAME": "openai:gpt-5",
            "WALKAWAY_MODEL__BASE_URL": f"{url}/v1",
            "WALKAWAY_MODEL__API_KEY_ENV": "STAND_KEY",
            "WALKAWAY_CHECKS__COMMANDS": '["true"]',
            **{f"WALKAWAY_{name}": value for name, value in settings.items()},
        }
        stand = Stand(folder / "project", env)
        stand.run("init")
        stand.run("new", "--spec", str(spec))
        yield stand
        stand.run("doctor", code=0)
