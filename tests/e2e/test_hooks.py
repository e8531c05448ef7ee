"""Hooks through the command line: trusted by a person, asked by a run, and heard."""

import json
from pathlib import Path

import pytest

from tests.e2e.stand import Stand, standing
from tests.e2e.test_verdicts import plan

pytestmark = pytest.mark.e2e

RULES = """\
import json, sys
told = json.load(sys.stdin)
if told["target"].endswith("T02"):
    print(json.dumps({"action": "skip", "reason": "One is enough."}))
else:
    print(json.dumps({"action": "modify", "before": "Mind the umlauts: ÄÖÜ."}))
"""


def hooked(stand: Stand, folder: Path) -> None:
    (stand.project / "rules.py").write_text(RULES, encoding="utf-8")
    with (stand.project / ".walkaway" / "config.toml").open("a", encoding="utf-8") as sink:
        sink.write('[[hooks.before]]\nname = "rules"\nunits = ["execute-task"]\nrun = "python3 rules.py"\n')
        sink.write(f'[[hooks.after]]\nname = "told"\nrun = "cat >> {folder}/told.jsonl"\n')


def states(stand: Stand, *args: str) -> dict[str, str]:
    return {hook["name"]: hook["state"] for hook in json.loads(stand.run("trust", "--json", *args))["hooks"]}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_from_new_to_trusted_to_asked_to_changed(tmp_path: Path) -> None:
    with standing(tmp_path, plan()) as stand:
        hooked(stand, tmp_path)
        assert states(stand) == {"rules": "new", "told": "new"}
        assert "hook-untrusted" in stand.run("doctor", "--json")
        [found] = stand.auto(code=10)["blocked"]
        assert (found["reason"], found["unit"]) == ("untrusted-hook", "plan-milestone M001")
        assert "walkaway trust told, then run walkaway auto again" in found["remedies"]
        assert states(stand, "told") == {"told": "trusted"}
        [found] = stand.auto(code=10)["blocked"]
        assert (found["reason"], found["unit"]) == ("untrusted-hook", "execute-task M001/S01/T01")
        said = stand.run("trust", "--all")
        assert "rules: trusted\n  runs before execute-task: python3 rules.py\n" in said
        assert "  files of the project that it names: rules.py\n" in said
        assert "hook-untrusted" not in stand.run("doctor", "--json")
        assert stand.auto("--max-units", "1")["units"] == 1
        asked = (stand.project / ".walkaway").rglob("*.jsonl")
        assert any("Mind the umlauts: ÄÖÜ." in path.read_text(encoding="utf-8") for path in asked)

        (stand.project / "rules.py").write_text(RULES.replace("enough", "too many"), encoding="utf-8")
        assert states(stand) == {"rules": "changed", "told": "trusted"}
        [found] = stand.auto(code=10)["blocked"]
        assert "was changed since you trusted it" in found["detail"]
        (stand.project / "rules.py").write_text(RULES, encoding="utf-8")
        assert stand.auto()["status"] == "complete"
        assert [fact["why"] for fact in stand.facts("SetAside")] == ["The hook 'rules': One is enough."]
        told = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text().splitlines()]
        assert [f"{line['unit']} {line['target']}" for line in told] == stand.ran()
        assert {line["status"] for line in told} == {"completed"}
        assert states(stand, "--revoke", "rules") == {"rules": "new"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BEFORE", '[{name="a", run="true", units=["no-such-unit"]}]'),
        ("BEFORE", '[{name="a", run="true", colour="red"}]'),
        ("BEFORE", '[{name="A b", run="true"}]'),
        ("BEFORE", '[{name="a"}]'),
        ("AFTER", '[{name="a", run="true"}, {name="a", run="false"}]'),
        ("AFTER", '"true"'),
    ],
)
def test_what_cannot_be_a_hook_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with standing(tmp_path, plan()) as stand:
        monkeypatch.setenv(f"WALKAWAY_HOOKS__{name}", value)
        stand.run("trust", code=2)
        stand.run("auto", "--json", code=2)
        monkeypatch.undo()
        assert stand.facts("DispatchClaimed") == []
