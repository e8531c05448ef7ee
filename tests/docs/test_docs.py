"""Every command, setting, unit and error is documented, and every example runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs import generate
from walkaway.cli.main import COMMANDS
from walkaway.playback import running
from walkaway.units import UNITS

ROOT = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])


def test_the_reference_is_what_the_code_says():
    assert generate.HOME.read_text(encoding="utf-8") == generate.reference(), "run make docs"


def test_the_readme_names_every_command_and_no_other():
    [table] = re.findall(r"## Commands\n(.*?)\n\n[^|]", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    firsts = [row.split("|")[1] for row in table.strip().splitlines()[2:]]
    named = [name for first in firsts for name in re.findall(r"`(?:walkaway )?([a-z]+)", first)]
    assert sorted(named) == sorted(COMMANDS)


def test_the_readme_counts_the_kinds_of_unit():
    assert f"the next unit, of {len(UNITS)} kinds:" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_link_inside_the_documentation_leads_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_decision_has_its_four_parts_and_a_number_of_its_own():
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert len(pages) >= 10
    assert [int(p.name[:4]) for p in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for part in ("**Context.**", "**Decision.**", "**What we gave up.**", "**What would change our mind.**"):
            assert part in text, page.name


def examples(page: Path) -> list[tuple[str, int]]:
    """Return the ``$ command`` lines of a page's console blocks, and the exit code each one promises."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for line in re.findall(r"^\$ (.+)$", block, re.MULTILINE):
            command, _, code = line.partition("  # exit ")
            found.append((command, int(code or 0)))
    return found


@pytest.mark.e2e
@pytest.mark.parametrize("page", [p for p in PAGES if examples(p)], ids=lambda p: p.stem)
def test_every_example_of_a_page_runs_as_it_says(page, tmp_path, monkeypatch):
    script = ROOT / "docs" / "examples" / "greet.yaml"
    (tmp_path / "greet.md").write_text((ROOT / "docs" / "examples" / "greet.md").read_text(), encoding="utf-8")
    with running(script) as url:
        env = {
            **os.environ,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "EXAMPLE_KEY": "x",
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
            "WALKAWAY_MODEL__NAME": "openai-chat:gpt-5",
            "WALKAWAY_MODEL__BASE_URL": f"{url}/v1",
            "WALKAWAY_MODEL__API_KEY_ENV": "EXAMPLE_KEY",
        }
        for command, code in examples(page):
            done = subprocess.run(
                ["bash", "-c", command], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120,
                stdin=subprocess.DEVNULL, check=False,
            )  # fmt: skip
            assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
