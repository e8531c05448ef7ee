"""Find out from a project's files how it is set up and how it is checked.

Rule: nothing is run to find out, and nothing is invented: a project without tests has no check.
"""

import functools
import importlib.util
import json
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

_MOST_FILES = 20_000
_READ_BYTES = 200_000
_NOT_OURS = frozenset({"node_modules", "vendor", "target", "build", "dist", "__pycache__", "venv", "site-packages"})
_PLACEHOLDER = "no test specified"
_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
_PYTEST_SECTIONS = (("pytest.ini", "[pytest]"), ("tox.ini", "[pytest]"), ("setup.cfg", "[tool:pytest]"))
_IMPORTS_PYTEST = re.compile(r"^\s*(?:import|from)\s+pytest\b", re.MULTILINE)
_TEST_FUNCTION = re.compile(r"^(?:async )?def test_", re.MULTILINE)
_NODE_LOCKS = (("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("package-lock.json", "npm"))
_INSTALL = {"pnpm": "pnpm install --frozen-lockfile", "yarn": "yarn install --frozen-lockfile", "npm": "npm ci"}
_VENV = f"{shlex.quote(sys.executable)} -m venv .venv && echo '*' > .venv/.gitignore"
_PYTHON_LOCKS = (
    ("uv.lock", "uv sync --frozen"),
    ("poetry.lock", "poetry install --no-interaction"),
    ("requirements.txt", f"{_VENV} && .venv/bin/pip install --quiet -r requirements.txt"),
)


def checks(path: Path) -> tuple[str, ...]:
    """Return the commands that test this project, () where nothing says how."""
    found = (*_python(path), *_node(path), *_rust(path), *_go(path))
    return found or tuple(_make(path))


def set_up(path: Path) -> tuple[str, ...]:
    """Return the commands that fetch what this project needs, as its lock files say; () where nothing is locked."""
    python = next((command for name, command in _PYTHON_LOCKS if (path / name).is_file()), None)
    manager = _manager(path)
    node = _INSTALL[manager] if manager and (path / "package.json").is_file() else None
    return tuple(command for command in (python, node) if command)


def files(path: Path) -> Iterator[Path]:
    """Yield the project's own files in a stable order: no dependencies, no hidden folders, and not without end."""
    seen = 0
    for here, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if name not in _NOT_OURS and not name.startswith("."))
        for name in sorted(names):
            seen += 1
            if seen > _MOST_FILES:
                return
            yield Path(here) / name


# ---- Python ------------------------------------------------------------------------------------------------------


def _python(path: Path) -> Iterator[str]:
    tests = [file for file in files(path) if _is_test(file)]
    if not tests:
        return
    own = path / ".venv/bin/python"
    python = ".venv/bin/python" if own.exists() else shlex.quote(sys.executable)
    prefix = "PYTHONPATH=src " if (path / "src").is_dir() and not own.exists() else ""
    texts = [_text(file) for file in tests]
    needs = any(_IMPORTS_PYTEST.search(text) for text in texts)
    wants = _configured(path) or any(_TEST_FUNCTION.search(text) for text in texts)
    if needs or (wants and _has_pytest(path)):
        yield f"{prefix}{python} -m pytest -q"
    else:
        yield from (f"{prefix}{python} -m unittest discover{where}" for where in _unittest(path, tests))


def _is_test(file: Path) -> bool:
    """Whether the runners would look for tests in it; ``testing.py`` is somebody's module."""
    usual = "test" if file.parent.name in {"test", "tests"} else "test_"
    return file.suffix == ".py" and (file.name.startswith(usual) or file.name.endswith("_test.py"))


def _unittest(path: Path, tests: list[Path]) -> Iterator[str]:
    """Yield the arguments with which unittest finds these tests: one set per folder that they start from."""
    starts = {_start(path, file.parent) for file in tests}
    usual = {_start(path, file.parent) for file in tests if file.name.startswith("test")}
    for start in sorted(starts):
        inside = start.relative_to(path)
        package = (start / "__init__.py").is_file()
        where = f" -s {shlex.quote(str(inside))}" if inside.parts else ""
        yield where + (" -t ." if package and inside.parts else "") + ("" if start in usual else " -p '*_test.py'")


def _start(path: Path, folder: Path) -> Path:
    """Return the outermost folder from which unittest walks down to ``folder``: it enters only packages."""
    while folder != path and (folder / "__init__.py").is_file() and (folder.parent / "__init__.py").is_file():
        folder = folder.parent
    return folder


def _configured(path: Path) -> bool:
    """Whether a configuration file speaks of pytest."""
    if any(section in _text(path / name) for name, section in _PYTEST_SECTIONS):
        return True
    if (path / "pytest.ini").is_file():
        return True
    try:
        settings = tomllib.loads(_text(path / "pyproject.toml"))
    except tomllib.TOMLDecodeError:
        return False
    tools = settings.get("tool", {})
    return isinstance(tools, dict) and "pytest" in tools


def _has_pytest(path: Path) -> bool:
    """Whether the interpreter that would be used can import it."""
    if (path / ".venv/bin/python").exists():
        return any((path / ".venv/lib").glob("python*/site-packages/pytest/__init__.py"))
    return _we_have_pytest()


@functools.cache
def _we_have_pytest() -> bool:
    return importlib.util.find_spec("pytest") is not None


# ---- others ------------------------------------------------------------------------------------------------------


def _node(path: Path) -> Iterator[str]:
    try:
        package = json.loads(_text(path / "package.json") or "{}")
    except json.JSONDecodeError:
        return
    scripts = package.get("scripts", {}) if isinstance(package, dict) else {}
    test = scripts.get("test", "") if isinstance(scripts, dict) else ""
    if isinstance(test, str) and test.strip() and _PLACEHOLDER not in test:
        yield f"{_manager(path) or 'npm'} test"


def _manager(path: Path) -> str | None:
    """Return the package manager whose lock file lies there."""
    return next((manager for name, manager in _NODE_LOCKS if (path / name).is_file()), None)


def _rust(path: Path) -> Iterator[str]:
    if (path / "Cargo.toml").is_file():
        yield "cargo test"


def _go(path: Path) -> Iterator[str]:
    if (path / "go.mod").is_file() and any(file.name.endswith("_test.go") for file in files(path)):
        yield "go test ./..."


def _make(path: Path) -> Iterator[str]:
    text = next((_text(path / name) for name in _MAKEFILES if (path / name).is_file()), "")
    for target in ("check", "test"):
        if re.search(rf"^(?:[\w.-]+\s+)*{target}(?:\s+[\w.-]+)*\s*:(?!=)", text, re.MULTILINE):
            yield f"make {target}"
            return


def _text(file: Path) -> str:
    """Return the beginning of a file, "" where there is none."""
    if not file.is_file():
        return ""
    with file.open("rb") as source:
        return source.read(_READ_BYTES).decode(errors="replace")
