"""Who may import whom, how large things may be, and which calls are banned: the table here *is* the rule."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src" / "walkaway"
ANY_STDLIB = frozenset(sys.stdlib_module_names)
PURE_STDLIB = frozenset(
    {"dataclasses", "enum", "typing", "functools", "datetime", "collections", "re", "itertools", "math"}
)

# package -> (ours that it may import, third parties, its standard library)
MAY_IMPORT: dict[str, tuple[set[str], set[str], frozenset[str]]] = {
    "core": (set(), set(), PURE_STDLIB),
    "units": ({"core"}, set(), PURE_STDLIB),
    "views": ({"core", "units"}, set(), PURE_STDLIB),
    "projection": ({"core", "views"}, set(), ANY_STDLIB),
    "store": ({"core", "proc", "identity"}, {"pysqlite3", "psycopg"}, ANY_STDLIB),
    "agent": (
        {"proc", "redact", "core.grant", "core.brief", "core.errors"},
        {"pydantic", "pydantic_ai", "pydantic_core", "openai", "anthropic", "httpx", "httpx2", "genai_prices"},
        ANY_STDLIB,
    ),
    "git": ({"proc", "core.ids", "core.model", "core.errors"}, set(), ANY_STDLIB),
    "verify": ({"proc", "redact", "core.ids", "core.model", "core.errors"}, set(), ANY_STDLIB),
    "engine": ({"core", "units", "store", "projection", "proc", "identity", "clock"}, {"pydantic"}, ANY_STDLIB),
    "commands": ({"core", "store", "views"}, set(), ANY_STDLIB),
    "doctor": ({"core", "store", "views", "git", "proc", "identity", "layout", "config"}, {"pydantic"}, ANY_STDLIB),
    "cli": (
        {"commands", "views", "app", "config", "layout", "engine.result", "core", "redact", "entry", "demo", "playback",
         "store", "doctor", "proc", "clock"},
        {"click", "rich"},
        ANY_STDLIB,
    ),
    "demo": ({"app", "commands", "views", "playback", "proc", "core", "config", "layout"}, {"yaml"}, ANY_STDLIB),
    "playback": (set(), {"yaml"}, ANY_STDLIB),
    "entry": ({"views", "store", "core", "units", "layout", "identity", "cli"}, set(), ANY_STDLIB),
    "__main__": ({"entry"}, set(), ANY_STDLIB),
    "layout": ({"core"}, set(), ANY_STDLIB),
    "config": ({"core", "layout", "store", "redact"}, {"pydantic"}, ANY_STDLIB),
    "clock": (set(), set(), ANY_STDLIB),
    "identity": ({"core.errors"}, {"psutil"}, ANY_STDLIB),
    "proc": ({"core.errors", "identity", "clock"}, {"psutil"}, ANY_STDLIB),
    "redact": (set(), set(), ANY_STDLIB),
    "__init__": (set(), set(), ANY_STDLIB),
}  # fmt: skip
FREE = {"app", "testing"}  # the composition root and what tests share know everyone
KINDS = {"units", "agent/tools", "commands", "doctor", "testing"}  # folders where every file is one value
MOST_LINES = 400
MOST_FUNCTION_LINES = 60
MOST_MODULES = 15
LONG = {"core/evolve.py:evolve"}  # one match, one case a fact

BANNED = {
    "os.chdir": set(),
    "os.environ": {"config.py", "entry.py", "layout.py", "proc.py", "app.py", "testing"},
    "os.getenv": set(),
    "subprocess.run": {"proc.py", "testing"},
    "subprocess.Popen": {"proc.py", "testing"},
    "datetime.now": {"clock.py"},
    "time.time": {"clock.py", "store/sqlite.py", "proc.py", "identity.py", "playback", "testing"},
    "print": {"cli"},
}


def modules() -> list[Path]:
    return sorted(SRC.rglob("*.py"))


def package(path: Path) -> str:
    parts = path.relative_to(SRC).parts
    return parts[0] if len(parts) > 1 else path.stem


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every import, also inside functions and under TYPE_CHECKING."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "walkaway":
            yield from ((f"walkaway.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno


def forbidden(home: str, tree: ast.AST) -> list[str]:
    """Return the imports of a module of ``home`` that the table does not allow."""
    ours, foreign, stdlib = MAY_IMPORT[home]
    found = []
    for name, line in imported(tree):
        top = name.split(".")[0]
        if top == "walkaway":
            rest = name.removeprefix("walkaway").lstrip(".")
            own = not rest or rest.split(".")[0] in {home, "__version__"}
            allowed = own or any(rest == o or rest.startswith(f"{o}.") for o in ours)
        else:
            allowed = top in stdlib or top in foreign
        if not allowed:
            found.append(f"line {line}: {home} may not import {name}")
    return found


def uses(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}", node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, node.lineno


def banned(path: str, tree: ast.AST) -> list[str]:
    return [
        f"line {line}: {name}"
        for name, line in uses(tree)
        if name in BANNED and not any(path == a or path.startswith(f"{a}/") for a in BANNED[name])
    ]


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(SRC)))
def test_a_module_imports_only_what_its_package_may(path):
    if package(path) not in FREE:
        assert forbidden(package(path), parse(path)) == []


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(SRC)))
def test_a_module_is_small_and_makes_no_banned_call(path):
    text, tree, name = path.read_text(encoding="utf-8"), parse(path), path.relative_to(SRC).as_posix()
    assert text.count("\n") <= MOST_LINES
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and f"{name}:{node.name}" not in LONG:
            assert node.end_lineno - node.lineno < MOST_FUNCTION_LINES, node.name
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            assert caught not in {"everything", "Exception"} or name == "cli/main.py", f"line {node.lineno}"
    assert banned(name, tree) == []


def test_every_package_is_in_the_table():
    assert {package(p) for p in modules()} - FREE <= set(MAY_IMPORT)


def test_only_the_codec_has_values_without_a_type():
    named = [p for p in modules() if "Any" in {n.id for n in ast.walk(parse(p)) if isinstance(n, ast.Name)}]
    assert [p.relative_to(SRC).as_posix() for p in named] == ["store/codec.py"]


def test_no_folder_grows_into_a_heap():
    for folder in {p.parent for p in modules()}:
        if folder.relative_to(SRC).as_posix() not in KINDS:
            assert len(list(folder.glob("*.py"))) <= MOST_MODULES + 1, folder


def test_only_surfaces_are_imported_by_nobody_below():
    """`testing` by nothing that ships, `app` by surfaces only: the table has no other entry for them."""
    for ours, _, _ in MAY_IMPORT.values():
        assert "testing" not in ours
    assert {home for home, (ours, _, _) in MAY_IMPORT.items() if "app" in ours} == {"cli", "demo"}


def test_planted_violations_are_found():
    assert forbidden("core", ast.parse("def f():\n    import os")) == ["line 2: core may not import os"]
    assert forbidden("units", ast.parse("from walkaway.store import Store"))
    assert forbidden("agent", ast.parse("from walkaway import units"))
    assert forbidden("git", ast.parse("if TYPE_CHECKING:\n    from walkaway.engine.ports import Agent"))
    assert forbidden("agent", ast.parse("from walkaway.core.model import Lease"))
    assert not forbidden("agent", ast.parse("from walkaway.core.grant import Grant"))
    assert banned("engine/run.py", ast.parse("import os\nos.environ['A']"))
    assert banned("units/a.py", ast.parse("print(1)"))
    assert not banned("cli/a.py", ast.parse("print(1)"))
