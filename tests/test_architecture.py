"""Who may import whom, how large things may be, and which calls are banned: the table here *is* the rule."""

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src" / "walkaway"
ANY_STDLIB = frozenset(sys.stdlib_module_names)
PURE_STDLIB = frozenset(
    {"dataclasses", "enum", "typing", "functools", "datetime", "collections", "re", "itertools", "math", "shlex"}
)

# package -> (ours that it may import, third parties, its standard library)
MAY_IMPORT: dict[str, tuple[set[str], set[str], frozenset[str]]] = {
    "core": (set(), set(), PURE_STDLIB),
    "units": ({"core"}, set(), PURE_STDLIB | {"json"}),
    "views": ({"core", "units"}, set(), PURE_STDLIB),
    "projection": ({"core", "views"}, set(), ANY_STDLIB),
    "store": ({"core", "proc", "identity"}, {"pysqlite3", "psycopg"}, ANY_STDLIB),
    "agent": (
        {"proc", "redact", "core.grant", "core.brief", "core.errors"},
        {"pydantic", "pydantic_ai", "pydantic_core", "openai", "anthropic", "httpx", "httpx2", "genai_prices"},
        ANY_STDLIB,
    ),
    "git": ({"proc", "core.ids", "core.model", "core.errors"}, set(), ANY_STDLIB),
    "verify": ({"proc", "redact", "core.ids", "core.model", "core.verdict", "core.errors"}, set(), ANY_STDLIB),
    "hooks": ({"core", "proc", "redact"}, set(), ANY_STDLIB),
    "engine": ({"core", "units", "store", "projection", "proc", "identity", "clock"}, {"pydantic"}, ANY_STDLIB),
    "commands": ({"core", "store", "views"}, set(), ANY_STDLIB),
    "workflows": ({"core"}, {"yaml"}, ANY_STDLIB),
    "doctor": (
        {"core", "units", "store", "views", "projection", "git", "hooks", "proc", "identity", "layout", "config"},
        {"pydantic"},
        ANY_STDLIB,
    ),
    "cli": (
        {"commands", "views", "app", "config", "layout", "core", "redact", "entry", "shown", "workflows", "demo", "chaos", "playback", "doctor", "hooks", "init", "clock"},
        {"click", "rich"},
        ANY_STDLIB,
    ),
    "demo": ({"app", "commands", "views", "playback", "proc", "core", "config", "layout"}, {"yaml"}, ANY_STDLIB),
    "chaos": ({"app", "views", "playback", "proc", "core", "store", "identity", "layout"}, set(), ANY_STDLIB),
    "playback": (set(), {"yaml"}, ANY_STDLIB),
    "entry": ({"views", "store", "core", "units", "layout", "identity", "cli"}, set(), ANY_STDLIB),
    "__main__": ({"entry"}, set(), ANY_STDLIB),
    "layout": ({"core"}, set(), ANY_STDLIB),
    "config": ({"core", "layout", "redact"}, {"pydantic"}, ANY_STDLIB),
    "clock": (set(), set(), ANY_STDLIB),
    "identity": ({"core.errors"}, {"psutil"}, ANY_STDLIB),
    "proc": ({"core.errors", "identity", "clock"}, {"psutil"}, ANY_STDLIB),
    "redact": (set(), set(), ANY_STDLIB),
    "__init__": (set(), set(), ANY_STDLIB),
}  # fmt: skip
ONLY_IN = {("engine", "pydantic"): "engine/desk.py"}  # third parties that one module of a package keeps to itself
BACK_DOORS = {("entry", "cli")}  # the console script hands over to the command line, which has `query` from it
FREE = {
    "app",
    "init",
    "shown",
    "testing",
}  # the composition root, what it shows of agents, and what tests share know everyone
KINDS = {"units", "agent/tools", "commands", "doctor", "testing"}  # folders where every file is one value
MOST_LINES = 400
MOST_FUNCTION_LINES = 60
MOST_MODULES = 15
LONG = {"core/evolve.py:evolve"}  # one match, one case a fact

# a call, or a whole module -> where it is allowed
BANNED = {
    "os.chdir": set(),
    "os.environ": {"config.py", "entry.py", "layout.py", "proc.py", "app.py", "testing"},
    "os.getenv": set(),
    "os.system": set(),
    "os.popen": set(),
    "subprocess": {"proc.py", "testing"},
    "datetime.datetime.now": {"clock.py"},
    "datetime.datetime.utcnow": set(),
    "datetime.datetime.today": set(),
    "datetime.date.today": set(),
    "time.time": {"clock.py", "store/sqlite.py", "proc.py", "identity.py", "playback", "testing"},
    "time.time_ns": set(),
    "importlib.import_module": {
        "cli/main.py"
    },  # its table of commands; a module named in a string escapes the table above
    "__import__": set(),
    "print": {"cli"},
}


def modules() -> list[Path]:
    return sorted(SRC.rglob("*.py"))


def package(path: Path) -> str:
    parts = path.relative_to(SRC).parts
    return parts[0] if len(parts) > 1 else path.stem


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every import, also inside functions and under TYPE_CHECKING; a relative one by its dots, which no table allows."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.level or node.module == "walkaway"):
            start = "." * node.level + (node.module or "")
            yield from ((f"{start}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno


def forbidden(home: str, tree: ast.AST, path: str = "") -> list[str]:
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
            allowed = top in stdlib or (top in foreign and path in {"", ONLY_IN.get((home, top), path)})
        if not allowed:
            found.append(f"line {line}: {home} may not import {name}")
    return found


def uses(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that is used or imported, as it is called where it was made: ``sp.run`` is ``subprocess.run``."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            head, dot, rest = ast.unparse(node).partition(".")
            yield known.get(head, head) + dot + rest, node.lineno


def banned(path: str, tree: ast.AST) -> list[str]:
    return sorted(
        {
            f"line {line}: {rule}"
            for name, line in uses(tree)
            for rule, allowed in BANNED.items()
            if name == rule or name.startswith(f"{rule}.")
            if not any(path == a or path.startswith(f"{a}/") for a in allowed)
        }
    )


def catches_all(tree: ast.AST) -> list[str]:
    """Return the handlers of everything: bare, `Exception`, or a tuple with it."""
    handlers = [n for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler)]
    return [
        f"line {h.lineno}"
        for h in handlers
        if h.type is None or "Exception" in {n.id for n in ast.walk(h.type) if isinstance(n, ast.Name)}
    ]


def circle(edges: Mapping[str, set[str]]) -> list[str]:
    """Return the packages of circles of imports, and those that lead into one; none where there is no circle."""
    left = {home: set(found) for home, found in edges.items()}
    while ends := [home for home in left if not left[home] & left.keys()]:
        for home in ends:
            del left[home]
    return sorted(left)


def long_functions(name: str, tree: ast.AST) -> list[str]:
    return [
        f"line {node.lineno}: {node.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and f"{name}:{node.name}" not in LONG
        if node.end_lineno - node.lineno >= MOST_FUNCTION_LINES
    ]


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(SRC)))
def test_a_module_imports_only_what_its_package_may(path):
    if package(path) not in FREE:
        assert forbidden(package(path), parse(path), path.relative_to(SRC).as_posix()) == []


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(SRC)))
def test_a_module_is_small_and_makes_no_banned_call(path):
    text, tree, name = path.read_text(encoding="utf-8"), parse(path), path.relative_to(SRC).as_posix()
    assert text.count("\n") <= MOST_LINES
    assert long_functions(name, tree) == []
    assert banned(name, tree) == []
    if name != "cli/main.py":  # the outermost frame turns a defect into exit 1
        assert catches_all(tree) == []


def test_packages_import_each_other_in_no_circle():
    edges: dict[str, set[str]] = {}
    for path in modules():
        names = [name.split(".") for name, _ in imported(parse(path))]
        edges.setdefault(package(path), set()).update(n[1] for n in names if n[0] == "walkaway" and len(n) > 1)
    assert (
        circle({home: {x for x in to if (home, x) not in BACK_DOORS and x != home} for home, to in edges.items()}) == []
    )


def test_every_package_is_in_the_table():
    assert {package(p) for p in modules()} - FREE <= set(MAY_IMPORT)


def test_only_the_codec_has_values_without_a_type():
    named = [p for p in modules() if "typing.Any" in {name for name, _ in uses(parse(p))}]
    assert [p.relative_to(SRC).as_posix() for p in named] == ["store/codec.py"]


def test_no_folder_grows_into_a_heap():
    for folder in {p.parent for p in modules()}:
        if folder.relative_to(SRC).as_posix() not in KINDS:
            assert len(list(folder.glob("*.py"))) <= MOST_MODULES + 1, folder


def test_only_surfaces_are_imported_by_nobody_below():
    """`testing` by nothing that ships, `app` by surfaces only: the table has no other entry for them."""
    for ours, _, _ in MAY_IMPORT.values():
        assert "testing" not in ours
    assert {home for home, (ours, _, _) in MAY_IMPORT.items() if "app" in ours} == {"chaos", "cli", "demo"}


PLANTED_IMPORTS = [
    ("core", "def f():\n    import os"),
    ("core", "import random"),
    ("core", "from .. import store"),
    ("core", "from ..store import connect"),
    ("core", "from . import model"),
    ("units", "from walkaway.store import Store"),
    ("units", "import pydantic"),
    ("agent", "from walkaway import units"),
    ("agent", "from walkaway.core.model import Lease"),
    ("git", "if TYPE_CHECKING:\n    from walkaway.engine.ports import Agent"),
    ("store", "import walkaway.testing.fakes"),
    ("cli", "from walkaway.store import connect"),
]


@pytest.mark.parametrize(("home", "text"), PLANTED_IMPORTS)
def test_a_planted_import_is_found(home, text):
    assert forbidden(home, ast.parse(text)) != []


def test_what_the_table_allows_is_not_found():
    assert not forbidden("agent", ast.parse("from walkaway.core.grant import Grant"))
    assert not forbidden("core", ast.parse("from walkaway.core import model\nimport enum"))
    assert not forbidden("engine", ast.parse("import pydantic"), "engine/desk.py")
    assert forbidden("engine", ast.parse("import pydantic"), "engine/run.py")


PLANTED_CALLS = [
    ("engine/run.py", "import os\nos.environ['A']"),
    ("git/a.py", "from os import environ as e\ne['A']"),
    ("config.py", "import os\nos.chdir('/')"),
    ("git/a.py", "import subprocess as sp\nsp.run([])"),
    ("git/a.py", "from subprocess import check_output"),
    ("views/a.py", "import datetime\ndatetime.datetime.now()"),
    ("views/a.py", "from datetime import datetime as d\nd.now()"),
    ("views/a.py", "from time import time\ntime()"),
    ("agent/a.py", "import importlib\nimportlib.import_module('walkaway.store')"),
    ("units/a.py", "print(1)"),
]


@pytest.mark.parametrize(("path", "text"), PLANTED_CALLS)
def test_a_planted_call_is_found(path, text):
    assert banned(path, ast.parse(text)) != []


def test_a_call_where_it_belongs_is_not_found():
    assert not banned("cli/a.py", ast.parse("print(1)"))
    assert not banned("proc.py", ast.parse("import subprocess\nsubprocess.Popen([])"))
    assert not banned("views/a.py", ast.parse("def f(time): return time.time_of_day"))


def test_a_planted_handler_of_everything_is_found():
    for caught in ("", " Exception", " (ValueError, Exception) as error"):
        assert catches_all(ast.parse(f"try:\n    pass\nexcept{caught}:\n    pass"))
    assert not catches_all(ast.parse("try:\n    pass\nexcept BaseException:\n    undo()\n    raise"))


def test_a_planted_circle_and_a_planted_long_function_are_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["a", "b", "c"]
    assert circle({"a": {"b", "c"}, "b": {"c"}}) == []
    body = "    pass\n"
    assert long_functions("a.py", ast.parse("def f():\n" + body * MOST_FUNCTION_LINES))
    assert not long_functions("a.py", ast.parse("def f():\n" + body * (MOST_FUNCTION_LINES - 1)))
