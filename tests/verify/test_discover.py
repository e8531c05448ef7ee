"""What a project's files say about how to set it up and how to check it."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from walkaway.verify import ProjectChecks, discover

PY = shlex.quote(sys.executable)
UNITTEST = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_it(self):\n        self.assertTrue(True)\n"
PYTEST = "import pytest\n\n\ndef test_it():\n    assert pytest\n"
PLAIN = "def test_it():\n    assert True\n"
NPM = '{"scripts": {"test": "node --test"}}'
PLACEHOLDER = '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'


def write(path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)


CHECKS = {
    "nothing": ({}, ()),
    "no tests": ({"pyproject.toml": "[project]\nname='x'\n", "x.py": "x = 1\n"}, ()),
    "a module called testing": ({"testing.py": "x = 1\n", "contest.py": "x = 1\n"}, ()),
    "tests of a dependency": ({"node_modules/a/test_x.py": UNITTEST, ".venv/lib/test_x.py": UNITTEST}, ()),
    "unittest in tests": ({"tests/test_x.py": UNITTEST}, (f"{PY} -m unittest discover -s tests",)),
    "unittest in a package": (
        {"tests/__init__.py": "", "tests/deep/__init__.py": "", "tests/deep/test_x.py": UNITTEST},
        (f"{PY} -m unittest discover -s tests -t .",),
    ),
    "unittest beside the code": ({"test_x.py": UNITTEST}, (f"{PY} -m unittest discover",)),
    "unittest in the package": (
        {"pkg/__init__.py": "", "pkg/tests/__init__.py": "", "pkg/tests/test_x.py": UNITTEST},
        (f"{PY} -m unittest discover -s pkg -t .",),
    ),
    "unittest by the other name": ({"x_test.py": UNITTEST}, (f"{PY} -m unittest discover -p '*_test.py'",)),
    "unittest in two folders": (
        {"a/test_x.py": UNITTEST, "b c/test_y.py": UNITTEST},
        (f"{PY} -m unittest discover -s a", f"{PY} -m unittest discover -s 'b c'"),
    ),
    "unittest and src": (
        {"src/p.py": "", "tests/test_x.py": UNITTEST},
        (f"PYTHONPATH=src {PY} -m unittest discover -s tests",),
    ),
    "pytest imported": ({"tests/test_x.py": PYTEST}, (f"{PY} -m pytest -q",)),
    "pytest's style": ({"tests/test_x.py": PLAIN}, (f"{PY} -m pytest -q",)),
    "pytest configured": (
        {"pyproject.toml": "[tool.pytest.ini_options]\n", "tests/test_x.py": UNITTEST},
        (f"{PY} -m pytest -q",),
    ),
    "pytest.ini": ({"pytest.ini": "", "tests/test_x.py": UNITTEST}, (f"{PY} -m pytest -q",)),
    "setup.cfg": ({"setup.cfg": "[tool:pytest]\n", "tests/test_x.py": UNITTEST}, (f"{PY} -m pytest -q",)),
    "broken pyproject": (
        {"pyproject.toml": "[[[", "tests/test_x.py": UNITTEST},
        (f"{PY} -m unittest discover -s tests",),
    ),
    "own interpreter": (
        {".venv/bin/python": "", "src/p.py": "", "tests/test_x.py": UNITTEST},
        (".venv/bin/python -m unittest discover -s tests",),
    ),
    "own interpreter without pytest": (
        {".venv/bin/python": "", "tests/test_x.py": PLAIN},
        (".venv/bin/python -m unittest discover -s tests",),
    ),
    "own interpreter with pytest": (
        {
            ".venv/bin/python": "",
            ".venv/lib/python3.11/site-packages/pytest/__init__.py": "",
            "tests/test_x.py": PLAIN,
        },
        (".venv/bin/python -m pytest -q",),
    ),
    "own interpreter that lacks the pytest that the tests import": (
        {".venv/bin/python": "", "tests/test_x.py": PYTEST},
        (".venv/bin/python -m pytest -q",),
    ),
    "npm": ({"package.json": NPM}, ("npm test",)),
    "pnpm": ({"package.json": NPM, "pnpm-lock.yaml": ""}, ("pnpm test",)),
    "yarn": ({"package.json": NPM, "yarn.lock": ""}, ("yarn test",)),
    "npm's placeholder": ({"package.json": PLACEHOLDER}, ()),
    "no node test": ({"package.json": '{"scripts": {}}'}, ()),
    "odd package.json": ({"package.json": "[]"}, ()),
    "odd scripts": ({"package.json": '{"scripts": ["test"]}'}, ()),
    "broken package.json": ({"package.json": "{"}, ()),
    "rust": ({"Cargo.toml": ""}, ("cargo test",)),
    "go": ({"go.mod": "", "x/x_test.go": ""}, ("go test ./...",)),
    "go without tests": ({"go.mod": "", "x.go": ""}, ()),
    "make check": ({"Makefile": "all:\n\ntest: all\n\ncheck: all\n"}, ("make check",)),
    "make test": ({"Makefile": ".PHONY: lint\nbuild test: x\n"}, ("make test",)),
    "make without": ({"Makefile": "check := 1\n\tcheck: x\nchecks: x\n"}, ()),
    "make beside a language": (
        {"Makefile": "check:\n", "tests/test_x.py": UNITTEST},
        (f"{PY} -m unittest discover -s tests",),
    ),
    "two languages": (
        {"package.json": NPM, "tests/test_x.py": UNITTEST},
        (f"{PY} -m unittest discover -s tests", "npm test"),
    ),
}


@pytest.mark.parametrize("case", CHECKS)
def test_checks_are_found_by_what_lies_there(tmp_path: Path, case: str) -> None:
    files, found = CHECKS[case]
    write(tmp_path, files)

    assert ProjectChecks().checks(str(tmp_path), None) == found


def test_pytest_is_not_chosen_where_it_cannot_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discover, "_we_have_pytest", lambda: False)
    write(tmp_path, {"pytest.ini": "", "tests/test_x.py": UNITTEST})
    assert discover.checks(tmp_path) == (f"{PY} -m unittest discover -s tests",)

    write(tmp_path, {"tests/test_y.py": PYTEST})
    assert discover.checks(tmp_path) == (f"{PY} -m pytest -q",), "which then says that it cannot run"


def test_what_is_configured_is_not_discovered(tmp_path: Path) -> None:
    write(tmp_path, {"tests/test_x.py": UNITTEST})

    assert ProjectChecks().checks(str(tmp_path), ("true", "false")) == ("true", "false")
    assert ProjectChecks().checks(str(tmp_path), ()) == ()


SET_UP = {
    "nothing": ({"pyproject.toml": "[project]\ndependencies=['x']\n"}, ()),
    "npm": ({"package.json": NPM, "package-lock.json": ""}, ("npm ci",)),
    "pnpm": ({"package.json": NPM, "pnpm-lock.yaml": ""}, ("pnpm install --frozen-lockfile",)),
    "yarn": ({"package.json": NPM, "yarn.lock": ""}, ("yarn install --frozen-lockfile",)),
    "unlocked": ({"package.json": NPM}, ()),
    "uv": ({"uv.lock": "", "requirements.txt": ""}, ("uv sync --frozen",)),
    "poetry": ({"poetry.lock": ""}, ("poetry install --no-interaction",)),
    "both": ({"uv.lock": "", "package.json": NPM, "package-lock.json": ""}, ("uv sync --frozen", "npm ci")),
}


@pytest.mark.parametrize("case", SET_UP)
def test_set_up_follows_the_lock_files(tmp_path: Path, case: str) -> None:
    files, found = SET_UP[case]
    write(tmp_path, files)

    assert discover.set_up(tmp_path) == found


def test_the_environment_that_a_requirements_file_asks_for_is_not_committed(tmp_path: Path) -> None:
    write(tmp_path, {"requirements.txt": ""})
    (command,) = discover.set_up(tmp_path)
    assert command.endswith(".venv/bin/pip install --quiet -r requirements.txt")

    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    made = command.replace(" -m venv ", " -m venv --without-pip ").rpartition(" && ")[0]
    subprocess.run(["/bin/sh", "-c", made], cwd=tmp_path, check=True)
    status = subprocess.run(["git", "status", "--porcelain"], cwd=tmp_path, check=True, capture_output=True, text=True)

    assert status.stdout == "?? requirements.txt\n"
    write(tmp_path, {"tests/test_x.py": UNITTEST})
    assert discover.checks(tmp_path) == (".venv/bin/python -m unittest discover -s tests",)


def test_the_search_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discover, "_MOST_FILES", 3)
    write(tmp_path, {f"{n}.txt": "" for n in range(9)})

    assert [file.name for file in discover.files(tmp_path)] == ["0.txt", "1.txt", "2.txt"]
