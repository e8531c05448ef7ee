"""Every tool: its schema, its grant, its bounds and its two ways to fail; then each one's own promises."""

import json
import os
import threading
from contextlib import nullcontext
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from walkaway import proc
from walkaway.agent.bench import Bench, GarbageCall
from walkaway.agent.tool import AnyTool, Site, ToolFailed, ToolRefused
from walkaway.agent.tools import TOOLS, offered
from walkaway.core.grant import BUILDING, PLANNING, Effect, Grant

SAMPLES: dict[str, dict[str, object]] = {
    "read": {"path": "a.py", "offset": 1, "limit": 5},
    "write": {"path": "b.py", "content": "y = 2\n"},
    "edit": {"path": "a.py", "old": "x = 1", "new": "x = 2"},
    "bash": {"command": "echo hello", "timeout_s": 20},
    "grep": {"pattern": "x", "path": ".", "glob": "*.py"},
    "find": {"pattern": "*.py", "path": "."},
    "ls": {"path": "."},
}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    cwd = tmp_path / "work"
    cwd.mkdir()
    (tmp_path / "scratch").mkdir()
    (cwd / "a.py").write_text("x = 1\n")
    return Site(
        cwd=cwd.resolve(),
        scratch=tmp_path / "scratch",
        outputs=tmp_path / "outputs",
        cancel=threading.Event(),
        guard=lambda _cwd: nullcontext(),
    )


@pytest.fixture
def bench(site: Site) -> Bench:
    return Bench(BUILDING, site, lambda text: text.replace("CANARY", "[redacted]"))


def do(bench: Bench, name: str, **args: object) -> str:
    return bench.run(name, json.dumps(args))


# ---- the suite ---------------------------------------------------------------------------------------------------


def test_the_samples_cover_every_tool() -> None:
    assert [tool.name for tool in TOOLS] == ["read", "write", "edit", "bash", "grep", "find", "ls"]
    assert set(SAMPLES) == {tool.name for tool in TOOLS}


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
class TestEveryTool:
    def test_its_schema_is_closed_json_that_names_its_sample(self, tool: AnyTool) -> None:
        schema = json.loads(json.dumps(tool.schema()))
        assert schema["type"] == "object"
        assert schema["additionalProperties"] is False
        assert set(SAMPLES[tool.name]) == set(schema["properties"])
        assert set(schema.get("required", [])) <= set(SAMPLES[tool.name])
        assert "title" not in json.dumps(schema)

    def test_its_sample_survives_the_round_trip(self, tool: AnyTool, bench: Bench) -> None:
        text = bench.run(tool.name, json.dumps(SAMPLES[tool.name]))
        assert text
        assert TypeAdapter(str).validate_json(json.dumps(text)) == text

    def test_it_is_not_offered_and_not_run_outside_its_grant(self, tool: AnyTool, site: Site) -> None:
        others = frozenset(Effect) - {tool.effect}
        grant = Grant(name="other", effects=others)
        assert tool not in offered(grant)
        with pytest.raises(ToolRefused):
            Bench(grant, site, str).run(tool.name, json.dumps(SAMPLES[tool.name]))
        assert (site.cwd / "a.py").read_text() == "x = 1\n"
        assert not (site.cwd / "b.py").exists()

    def test_misspelt_arguments_are_refused_with_the_parameters(self, tool: AnyTool, bench: Bench) -> None:
        with pytest.raises(GarbageCall, match="colour"):
            bench.run(tool.name, json.dumps({**SAMPLES[tool.name], "colour": "red"}))
        with pytest.raises(GarbageCall):
            bench.run(tool.name, "[1, 2]")

    def test_its_description_is_short(self, tool: AnyTool) -> None:
        assert len(tool.description) < 200


def test_the_whole_schema_is_small() -> None:
    schemas = [{"name": t.name, "description": t.description, "parameters": t.schema()} for t in TOOLS]
    assert len(json.dumps(schemas)) < 4096


def test_planning_units_can_only_look() -> None:
    assert [tool.name for tool in offered(PLANNING)] == ["read", "grep", "find", "ls"]


@pytest.mark.parametrize("name", ["read", "write", "edit", "grep", "find", "ls"])
def test_paths_outside_are_refused(bench: Bench, site: Site, name: str) -> None:
    secret = site.cwd.parent / "secret"
    secret.write_text("x = 1\n")
    (site.cwd / "link").symlink_to(secret)
    for path in ("../secret", str(secret), "link", "a/../../secret"):
        with pytest.raises(ToolRefused, match="outside the working directory"):
            do(bench, name, **{**SAMPLES[name], "path": path})
    assert secret.read_text() == "x = 1\n"


def test_a_path_that_is_none_is_refused(bench: Bench) -> None:
    with pytest.raises(ToolRefused, match="no usable path"):
        do(bench, "read", path="a\0b")


def test_an_output_too_long_is_kept_whole_without_secrets(bench: Bench, site: Site) -> None:
    text = do(bench, "bash", command="echo CANARY; seq 1 5000; echo end")
    kept = site.outputs / "0001.txt"
    assert len(text.encode()) < 18_000
    assert text.startswith("CANARY\n1\n")
    assert text.endswith("5000\nend")
    assert str(kept) in text
    assert "left out" in text
    assert kept.read_text().splitlines()[0] == "[redacted]"
    assert "2500" in kept.read_text().splitlines()
    assert do(bench, "read", path=str(kept), offset=3, limit=1).splitlines()[0] == "2"


# ---- read --------------------------------------------------------------------------------------------------------


def test_read_gives_the_text_as_it_is(bench: Bench, site: Site) -> None:
    text = "a\r\nform\x0cfeed\u2028b"
    (site.cwd / "odd").write_bytes(text.encode())
    assert do(bench, "read", path="odd") == text
    assert do(bench, "read", path="odd", offset=2) == "form\x0cfeed\u2028b"
    (site.cwd / "empty").touch()
    assert do(bench, "read", path="empty") == "[the file is empty]"


def test_read_pages_through_a_long_file_without_a_gap(bench: Bench, site: Site) -> None:
    lines = [f"line {n} {'x' * (n % 120)}" for n in range(1, 1501)]
    (site.cwd / "long").write_text("\n".join(lines) + "\n")
    got: list[str] = []
    offset = 1
    while offset:
        page = do(bench, "read", path="long", offset=offset).splitlines()
        more = page[-1].startswith("[lines ")
        got += page[:-1] if more else page
        offset = int(page[-1].rstrip("]").partition("offset=")[2]) if more else 0
    assert got == lines


def test_read_says_what_it_cannot_show(bench: Bench, site: Site) -> None:
    (site.cwd / "binary").write_bytes(b"a\0b")
    (site.cwd / "latin").write_bytes(b"\xe9t\xe9")
    (site.cwd / "wide").write_text("x" * 50_000 + "\n")
    (site.cwd / "huge").touch()
    os.truncate(site.cwd / "huge", 9 << 20)
    os.mkfifo(site.cwd / "pipe")
    for path, why in {
        "binary": "binary",
        "latin": "UTF-8",
        "huge": "bytes, more than",
        "pipe": "no ordinary file",
        "nowhere": "no file",
        ".": "use ls",
        "a.py/b": "no file",
    }.items():
        with pytest.raises(ToolRefused, match=why):
            do(bench, "read", path=path)
    assert "longer than what can be shown" in do(bench, "read", path="wide")
    with pytest.raises(ToolRefused, match="only 1 lines"):
        do(bench, "read", path="a.py", offset=9)


# ---- write and edit ----------------------------------------------------------------------------------------------


def test_write_makes_folders_and_keeps_every_byte(bench: Bench, site: Site) -> None:
    text = do(bench, "write", path="deep/er/f.txt", content="é\r\nno end")
    assert (site.cwd / "deep/er/f.txt").read_bytes() == "é\r\nno end".encode()
    assert text == "Wrote 10 bytes to deep/er/f.txt."


def test_write_says_what_is_in_the_way(bench: Bench, site: Site) -> None:
    (site.cwd / "folder").mkdir()
    for path in ("folder", "a.py/b"):
        with pytest.raises(ToolRefused, match="in the way"):
            do(bench, "write", path=path, content="")
    with pytest.raises(ToolRefused):
        do(bench, "write", path=".", content="")


def test_a_broken_disk_is_a_failure_and_no_refusal(bench: Bench) -> None:
    with pytest.raises(ToolFailed, match="cannot be"):
        do(bench, "write", path="n" * 300, content="")


def test_edit_replaces_a_text_that_is_there_once(bench: Bench, site: Site) -> None:
    (site.cwd / "f").write_bytes(b"one\r\ntwo\r\none more\r\n")
    assert do(bench, "edit", path="f", old="two\r\n", new="2\r\n3\r\n") == "Edited f at line 2."
    assert (site.cwd / "f").read_bytes() == b"one\r\n2\r\n3\r\none more\r\n"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [("one", "1", "occurs 2 times"), ("ONE", "1", "occurs 0 times"), ("", "1", "empty"), ("one ", "one ", "differ")],
)
def test_edit_changes_nothing_where_it_is_not_clear(bench: Bench, site: Site, old: str, new: str, why: str) -> None:
    (site.cwd / "f").write_text("one\none more\n")
    with pytest.raises(ToolRefused, match=why):
        do(bench, "edit", path="f", old=old, new=new)
    assert (site.cwd / "f").read_text() == "one\none more\n"


def test_the_engines_folders_are_not_written(bench: Bench, site: Site) -> None:
    for path in (".git/config", ".walkaway/state.db", "sub/.git/hooks/x", ".GIT/config", ".git"):
        with pytest.raises(ToolRefused, match="belongs to the engine"):
            do(bench, "write", path=path, content="")
    assert {path.name for path in site.cwd.iterdir()} == {"a.py"}


# ---- find, grep, ls ----------------------------------------------------------------------------------------------


@pytest.fixture
def tree(site: Site) -> Path:
    for path in ("src/m/x.py", "src/y.py", "docs/z.md", ".git/x.py", "node_modules/x.py", "src/m/binary.py"):
        file = site.cwd / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"\0x = 1" if "binary" in path else f"x = 1  # {path}\n".encode())
    return site.cwd


def test_find_matches_globs_and_skips_what_is_no_source(bench: Bench, tree: Path) -> None:
    assert do(bench, "find", pattern="*.py").splitlines() == ["a.py", "src/y.py", "src/m/binary.py", "src/m/x.py"]
    assert do(bench, "find", pattern="src/*.py") == "src/y.py"
    assert do(bench, "find", pattern="src/**/x.py") == "src/m/x.py"
    assert do(bench, "find", pattern="x.*", path="src") == "src/m/x.py"
    assert do(bench, "find", pattern="*.rs") == "[no file matches]"
    with pytest.raises(ToolRefused, match="no folder"):
        do(bench, "find", pattern="*", path="nowhere")
    with pytest.raises(ToolRefused, match="no glob"):
        do(bench, "find", pattern="[z-a]")


def test_find_is_bounded(bench: Bench, site: Site) -> None:
    for n in range(1005):
        (site.cwd / f"f{n:04}").touch()
    assert "more than 1000" in do(bench, "find", pattern="f*")
    assert "[6 more]" in do(bench, "ls")


def test_grep_finds_lines_with_their_place(bench: Bench, tree: Path) -> None:
    assert do(bench, "grep", pattern=r"x = \d", glob="*.py").splitlines() == [
        "a.py:1:x = 1",
        "src/y.py:1:x = 1  # src/y.py",
        "src/m/x.py:1:x = 1  # src/m/x.py",
    ]
    assert do(bench, "grep", pattern="nothing here") == "[no line matches]"
    assert do(bench, "grep", pattern="x", path="a.py") == f"{tree / 'a.py'}:1:x = 1"
    for bad in ({"pattern": "("}, {"pattern": "x", "path": "nowhere"}, {"pattern": "x", "glob": "[z-a]"}):
        with pytest.raises(ToolRefused):
            do(bench, "grep", **bad)


def test_grep_is_bounded(bench: Bench, site: Site) -> None:
    (site.cwd / "many").write_text("needle " + "x" * 1000 + "\n")
    (site.cwd / "more").write_text("needle\n" * 500)
    lines = do(bench, "grep", pattern="needle").splitlines()
    assert len(lines) == 201
    assert len(lines[0]) < 320
    assert "more than 200" in lines[-1]


def test_a_search_that_never_ends_can_be_ended(bench: Bench, site: Site) -> None:
    (site.cwd / "a").write_text("a" * 60 + "b\n")
    threading.Timer(0.3, site.cancel.set).start()
    with pytest.raises(ToolFailed):
        do(bench, "grep", pattern="(a+)+$")


def test_ls_shows_folders_with_a_slash(bench: Bench, tree: Path) -> None:
    assert do(bench, "ls").splitlines() == [".git/", "a.py", "docs/", "node_modules/", "src/"]
    (tree / "void").mkdir()
    assert do(bench, "ls", path="void") == "[the folder is empty]"
    with pytest.raises(ToolRefused, match="no folder"):
        do(bench, "ls", path="a.py")


# ---- bash --------------------------------------------------------------------------------------------------------


def test_bash_tells_output_and_exit_code(bench: Bench, site: Site) -> None:
    assert do(bench, "bash", command="echo out; echo err >&2; pwd") == f"out\nerr\n{site.cwd}"
    assert do(bench, "bash", command="echo no; exit 3") == "no\n[exit code 3]"
    assert do(bench, "bash", command="true") == "[no output, exit code 0]"
    assert do(bench, "bash", command="[[ a == a ]] && echo bashism") == "bashism"


def test_bash_has_no_input_no_secrets_and_a_home_of_its_own(
    bench: Bench, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "CANARY")
    text = do(bench, "bash", command="cat; env; echo $HOME")
    assert "CANARY" not in text
    assert text.endswith(str(site.scratch))


def test_bash_is_killed_at_its_time_out_with_all_it_started(bench: Bench, site: Site) -> None:
    os.mkfifo(site.cwd / "pipe")
    text = do(bench, "bash", command="cat pipe & echo $!; cat pipe", timeout_s=1)
    assert text.endswith("[killed after 1 s]")
    child = int(text.splitlines()[0])
    me = proc.me()
    assert not proc.alive(proc.Identity(me.host, me.boot_id, child, me.started))


def test_bash_cannot_be_started_where_there_is_no_folder(bench: Bench, site: Site) -> None:
    (site.cwd / "a.py").unlink()
    site.cwd.rmdir()
    with pytest.raises(ToolFailed, match="could not be started"):
        do(bench, "bash", command="true")


def test_bash_does_not_commit(bench: Bench) -> None:
    with pytest.raises(ToolRefused, match="engine commits"):
        do(bench, "bash", command="cd sub && git -C . commit -am x")
