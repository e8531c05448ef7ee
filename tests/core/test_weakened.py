"""What belongs to the tests, and whether they ask less than before."""

import pytest

from walkaway.core.failing.tests import is_test, weakened

PYTHON = """\
import pytest

def test_one():
    assert add(1, 2) == 3
    assert add(0, 0) == 0

async def test_two():
    with pytest.raises(ValueError):
        add(None, 1)
"""
GO = 'func TestAdd(t *testing.T) {\n\tif add(1, 2) != 3 {\n\t\tt.Errorf("no")\n\t}\n}\n'
RUST = "#[test]\nfn adds() {\n    assert_eq!(add(1, 2), 3);\n}\n"
SCRIPT = "it('adds', () => {\n  expect(add(1, 2)).toBe(3)\n})\n"

TESTS = ["tests/a.py", "test_a.py", "pkg/a_test.go", "src/a.test.ts", "spec/a_spec.rb", "src/__tests__/a.js", "conftest.py",
         "src/test/java/AddTest.java", "tests/data/a.json"]  # fmt: skip
OTHERS = ["a.py", "testing.md", "contest.py", "src/latest.py", "attest/a.py", "README", "protests.txt"]
LESS = {
    "an assertion less": (
        PYTHON,
        PYTHON.replace("    assert add(0, 0) == 0\n", ""),
        "1 fewer assertions (2 of 3 left)",
    ),
    "a test less": (
        PYTHON,
        PYTHON[: PYTHON.index("async")],
        "1 fewer tests (1 of 2 left); 1 fewer assertions (2 of 3 left)",
    ),
    "skipped": (
        PYTHON,
        PYTHON.replace("def test_one", "@pytest.mark.skip\ndef test_one"),
        "1 more skipped or expected",
    ),
    "expected to fail": (PYTHON, PYTHON.replace("def test_one", "@pytest.mark.xfail\ndef test_one"), "1 more skipped"),
    "go": (GO, GO.replace('t.Errorf("no")', ""), "1 fewer assertions (0 of 1 left)"),
    "go, skipped": (GO, GO.replace("if add", 't.Skip("later")\n\tif add'), "1 more skipped"),
    "rust": (RUST, RUST.replace("#[test]\n", ""), "1 fewer tests (0 of 1 left)"),
    "script": (SCRIPT, SCRIPT.replace("it(", "xit("), "1 fewer tests (0 of 1 left); 1 more skipped"),
}


@pytest.mark.parametrize(("path", "told"), [*((p, True) for p in TESTS), *((p, False) for p in OTHERS)])
def test_a_test_is_known_by_its_name_or_its_folder(path: str, *, told: bool) -> None:
    assert is_test(path) is told


@pytest.mark.parametrize(("before", "after", "said"), LESS.values(), ids=LESS)
def test_what_asks_less_is_said(before: str, after: str, said: str) -> None:
    assert weakened({"t": before}, {"t": after}).startswith(said)


@pytest.mark.parametrize("text", [PYTHON, GO, RUST, SCRIPT])
def test_what_asks_as_much_or_more_is_fine_also_elsewhere(text: str) -> None:
    assert weakened({"t": text}, {"t": text}) == ""
    assert weakened({"t": text}, {"t": text + text}) == ""
    assert weakened({"t": text}, {"other": text}) == ""
    assert weakened({}, {"t": text}) == ""


def test_a_file_that_is_gone_is_named() -> None:
    assert weakened({"t": PYTHON, "u": PYTHON}, {"t": PYTHON}) == (
        "2 fewer tests (2 of 4 left); 3 fewer assertions (3 of 6 left); deleted: u"
    )
