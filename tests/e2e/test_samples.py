"""Every sample report that `walkaway units --json` prints is taken, over the wire, by the unit that it is a sample of."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from walkaway.playback import running

WORKFLOW = """
version: 1
name: own
params: {what: ""}
steps:
  - id: write
    prompt: Write about {{what}}.
    verify: {policy: prompt-verify, prompt: "Is it about that?"}
"""

FIRST = 9
"""Units of the first run: the project's start, and some of what is planned."""

WALKAWAY = Path(sys.executable).parent / "walkaway"


def walkaway(folder: Path, *args: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [WALKAWAY, *args], cwd=folder, env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=120,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.e2e
def test_every_sample_replayed_through_playback_carries_a_milestone_to_its_end(tmp_path):
    spec = tmp_path / "spec.md"
    spec.write_text("# Samples\n\nWhatever the samples say.\n", encoding="utf-8")
    project = tmp_path / "project"
    walkaway(tmp_path, "init", "project")
    walkaway(project, "new", "--spec", str(spec))
    walkaway(project, "capture", "Does it count empty lines?")
    written = tmp_path / "own.yaml"
    written.write_text(WORKFLOW, encoding="utf-8")
    assert walkaway(project, "workflow", "run", str(written), "what=the samples") == "M002\n"
    kinds = json.loads(walkaway(project, "units", "--json"))["units"]
    assert len(kinds) >= 12
    for kind in kinds:
        names = {tool["name"] for tool in kind["tools"]}
        assert "report" in names
        assert ("write" in names) == ("write" in kind["grant"]["effects"])
    script = tmp_path / "script.yaml"
    replies = [
        {"unit": f"{k['kind']} *", "say": [{"tools": [{"name": "report", "args": k["report"]["sample"]}]}]}
        for k in kinds
    ]
    work = {"name": "bash", "args": {"command": "echo more >> work.txt"}}
    for reply in replies:
        if reply["unit"] == "execute-task *":  # a report without the work is refused
            reply["say"][0]["tools"].insert(0, work)
    met = {"summary": "Nothing.", "narrative": "It cannot be done like this.", "blocker": "Texts are too large."}
    blocked = {"unit": "execute-task M001/S01/T01", "say": [{"tools": [{"name": "report", "args": met}]}]}
    replies.insert(0, blocked)  # so that the slice is planned anew
    script.write_text(yaml.safe_dump({"units": replies}), encoding="utf-8")
    log = tmp_path / "log.jsonl"
    with running(script, log) as url:
        env = {
            "SAMPLE_KEY": "x",
            "WALKAWAY_MODEL__NAME": "openai:gpt-5",
            "WALKAWAY_MODEL__BASE_URL": f"{url}/v1",
            "WALKAWAY_MODEL__API_KEY_ENV": "SAMPLE_KEY",
            "WALKAWAY_CHECKS__COMMANDS": '["true"]',
            "WALKAWAY_WORKFLOW__PROFILE": "max",
            "WALKAWAY_WORKFLOW__PLANNING": "deep",
        }
        confirmed = tmp_path / "answers.toml"
        confirmed.write_text('"depth:PROJECT" = "confirm"\n"depth:REQUIREMENTS" = "confirm"\n', encoding="utf-8")
        answers = ("--answers", str(confirmed))
        walkaway(project, "auto", "--milestone", "M001", "--max-units", str(FIRST), *answers, env=env)
        walkaway(project, "override", "Numbers are printed with a thousands separator.", env=env)
        result = json.loads(walkaway(project, "auto", "--json", env=env).splitlines()[-1])
    assert (result["status"], result["type"], result["v"]) == ("complete", "result", 1)
    requests = [json.loads(line) for line in log.read_text().splitlines()]
    posts = [r for r in requests if r["unit"]]
    assert len(posts) == FIRST + result["units"], "no sample was refused and sent again"
    assert {r["path"] for r in posts} == {"/v1/chat/completions"}, "with a base URL, openai: means chat completions"
    # nobody changes the target here, and the slices wait for each other: see test_conflict.py and test_verdicts.py
    unmet = {"resolve-conflict", "research-slices"}
    assert {r["unit"].split()[0] for r in posts} == {k["kind"] for k in kinds} - unmet
    assert max(r["bytes"] for r in posts) <= 25_000
    view = project / ".walkaway" / "view"
    assert "One knows the length of a text without opening it." in (view / "PROJECT.md").read_text(encoding="utf-8")
    assert "R002 — A user can count many files" in (view / "REQUIREMENTS.md").read_text(encoding="utf-8")
    found = sorted(path.name for path in (view / "research").iterdir())
    assert found == ["ARCHITECTURE.md", "FEATURES.md", "PITFALLS-BLOCKER.md", "STACK.md"]
