"""Two milestones change the same line: real git, a real command line and playback, and both are on the branch in the end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from walkaway.playback import running

WALKAWAY = Path(sys.executable).parent / "walkaway"
CHECK = "! grep -rn '<<<<<<<' words.txt"


def call(name: str, **args: object) -> dict[str, object]:
    return {"tools": [{"name": name, "args": args}]}


def plans(milestone: str, words: str) -> list[dict[str, object]]:
    """What a model says who has one task write one line."""
    one = {"title": "Words", "goal": "They are written.", "demo": "cat words.txt"}
    task = {"title": "Write", "description": f"Write {words}."}
    said: dict[str, list[dict[str, object]]] = {
        f"plan-milestone {milestone}": [call("report", title=words, vision="v", criteria=["c"], slices=[one])],
        f"plan-slice {milestone}/S01": [call("report", goal="g", must_haves=[], tasks=[task])],
        f"execute-task {milestone}/S01/T01": [
            call("write", path="words.txt", content=f"first\n{words}\nlast\n"),
            call("report", summary=f"Wrote {words}", narrative="As planned."),
        ],
        f"complete-slice {milestone}/S01": [call("report", summary="Written.")],
    }
    close = {"unit": f"complete-milestone {milestone}", "say": [call("report", summary=f"{words} stands.")]}
    return [{"unit": unit, "say": say} for unit, say in said.items()] + [close, close]


RESOLVED = [
    {
        "unit": "resolve-conflict M002",
        "say": [
            call("read", path="words.txt"),
            call("write", path="words.txt", content="first\nhello and goodbye\nlast\n"),
            call(
                "report", summary="Both words stand.", resolved=[{"file": "words.txt", "how": "Both are in the line."}]
            ),
        ],
    }
]


def run(folder: Path, *args: str, env: dict[str, str]) -> str:
    done = subprocess.run(
        args, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, timeout=120,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.e2e
def test_a_line_that_two_milestones_change_holds_the_words_of_both_and_nobody_was_asked(tmp_path: Path) -> None:
    project, script, log = tmp_path / "project", tmp_path / "script.yaml", tmp_path / "log.jsonl"
    script.write_text(
        yaml.safe_dump({"units": [*plans("M001", "hello"), *plans("M002", "goodbye"), *RESOLVED]}), encoding="utf-8"
    )
    spec = tmp_path / "spec.md"
    spec.write_text("# Words\n\nWrite a word.\n", encoding="utf-8")
    with running(script, log) as url:
        env = {
            "SAMPLE_KEY": "x",
            "WALKAWAY_MODEL__NAME": "openai:gpt-5",
            "WALKAWAY_MODEL__BASE_URL": f"{url}/v1",
            "WALKAWAY_MODEL__API_KEY_ENV": "SAMPLE_KEY",
            "WALKAWAY_CHECKS__COMMANDS": json.dumps([CHECK]),
            "WALKAWAY_WORKFLOW__PROFILE": "budget",
        }

        def walkaway(*args: str) -> str:
            return run(project if project.exists() else tmp_path, str(WALKAWAY), *args, env=env)

        walkaway("init", "project")
        (project / "words.txt").write_text("first\nnothing\nlast\n", encoding="utf-8")
        run(project, "git", "add", "words.txt", env=env)
        run(
            project, "git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-qm", "Words", env=env
        )
        for _ in range(2):
            walkaway("new", "--spec", str(spec))
        walkaway("auto", "--milestone", "M002", "--max-units", "3")  # its line is changed, on top of what there was
        walkaway("auto", "--milestone", "M001")
        result = json.loads(walkaway("auto", "--json").splitlines()[-1])

    assert result["status"] == "complete"
    assert (project / "words.txt").read_text(encoding="utf-8") == "first\nhello and goodbye\nlast\n"
    subjects = run(project, "git", "log", "--format=%s", env={}).splitlines()
    assert subjects[:2] == ["goodbye (M002)", "hello (M001)"], "one commit each, and no merge among them"
    merge = run(project, "git", "log", "--merges", "--format=%s", "refs/walkaway/M002", env={})
    assert merge.startswith("resolve-conflict M002")
    asked = [json.loads(line)["unit"] for line in log.read_text(encoding="utf-8").splitlines()]
    assert asked.count("resolve-conflict M002") == 3
