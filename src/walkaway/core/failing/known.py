"""Which tests failed?  Read from a test runner's output, so that what failed before is told from what broke.

Rule: fail closed. A name counts only where the runner's own last word gives how many failed and as many are named;
where it is not certain that all tests were run, or that nothing but tests failed, nothing is known.
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

_TESTS_FAILED = frozenset({1, 101})
"""What runners exit with when tests failed and nothing else was wrong (101: cargo)."""
_MAKE = 2
_AROUND = re.compile(
    r"g?make(?:\[\d+\])?: \*\*\* .*\bError (?:1|101)$|npm (?:ERR!|error)(?: .*)?$|error Command failed .*"
)
"""What whoever started the runner says after it."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_CUT = re.compile(r"^\[\.\.\. \d+ bytes left out \.\.\.\]$", re.MULTILINE)
_STOPS_EARLY = re.compile(
    r"\s(?:-x|--exitfirst|--maxfail\S*|--?fail-?fast|--bail\S*)(?=\s|$)|\bunittest\b.*\s-f(?=\s|$)"
)
_GO_ON = "--no-fail-fast"

_PYTEST = re.compile(r"(?:FAILED|ERROR) ([^\s\[]+(?:\[.*?\](?= - |$))?)(?: - .*)?$")
_PYTEST_END = re.compile(r"(?:=+ )?((?:\d+ \w+(?:, )?)+) in [\d.]+s(?: \([\d:]+\))?(?: =+)?$")
_UNITTEST = re.compile(r"(?:FAIL|ERROR): (.+)$")
_UNITTEST_END = re.compile(r"FAILED \(([a-z]+ ?[a-z]*=\d+(?:, [a-z]+ ?[a-z]*=\d+)*)\)$")
_GO_TEST = re.compile(r"\s*--- FAIL: (\S+) \([\d.]+s\)$")
_GO_PACKAGE = re.compile(r"FAIL\t(\S+)\t[\d.]+s$")
_CARGO = re.compile(r"test (.+) \.\.\. FAILED$")
_CARGO_END = re.compile(r"test result: (?:FAILED|ok)\. \d+ passed; (\d+) failed;")
_CARGO_WORDS = re.compile(r"error: (?:\d+ targets? failed:|test failed, to rerun pass .*)$|    `.+`$")
_TAP = re.compile(r"( *)not ok \d+(?: - (.*?))?(?: # (?:time|duration)\S*.*)?$")
_TAP_END = re.compile(r"# (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$")
_JEST = re.compile(r"  ● (.+)$")
_JEST_END = re.compile(r"Tests: +(\d+) failed, ")
_JEST_LAST = re.compile(r"Ran all test suites\.?.*$")

Names = frozenset[str]
NONE: Names = frozenset()


def failing(command: str, exit_code: int | None, output: str) -> Names:
    """Return the names of the tests that failed; none where the output does not say so for certain."""
    if _CUT.search(output) or (_STOPS_EARLY.search(command) and _GO_ON not in command):
        return NONE
    lines = [line.rstrip() for line in _COLOUR.sub("", output).splitlines()]
    said = _without(lines, _AROUND)
    by_make = exit_code == _MAKE and len(said) < len(_without(lines, None))
    if exit_code not in _TESTS_FAILED and not by_make:
        return NONE
    found = [names for read in _READERS if (names := read(command, said)) is not None]
    return found[0] if len(found) == 1 else NONE


def _without(lines: Sequence[str], around: "re.Pattern[str] | None") -> Sequence[str]:
    """Return the lines up to the last that says something, those of ``around`` left out."""
    end = len(lines)
    while end and (not lines[end - 1] or (around is not None and around.match(lines[end - 1]))):
        end -= 1
    return lines[:end]


def _all(pattern: "re.Pattern[str]", lines: Sequence[str], how_many: int) -> Names | None:
    """Return the names that ``pattern`` finds, if they are exactly so many."""
    names = frozenset(found[1] for line in lines if (found := pattern.match(line)))
    return names if 0 < len(names) == how_many else None


def _pytest(_command: str, lines: Sequence[str]) -> Names | None:
    """``2 failed, 1 passed, 1 error in 0.17s`` after a line for each of them."""
    end = _PYTEST_END.match(lines[-1]) if lines else None
    if end is None or sum(1 for line in lines if _PYTEST_END.match(line)) > 1:
        return None
    counts = {word.rstrip("s"): int(n) for n, word in (each.split() for each in end[1].split(", "))}
    if any(re.match(r"!+ .* !+$", line) for line in lines):  # it was interrupted
        return None
    return _all(_PYTEST, lines, counts.get("failed", 0) + counts.get("error", 0))


def _unittest(_command: str, lines: Sequence[str]) -> Names | None:
    """``FAILED (failures=3, errors=1)`` after a block for each of them."""
    end = _UNITTEST_END.match(lines[-1]) if lines else None
    if end is None or "unexpected" in end[1] or sum(1 for line in lines if _UNITTEST_END.match(line)) > 1:
        return None
    counts = dict(each.split("=") for each in end[1].split(", "))
    titles = [line for above, line in pairwise(lines) if above.startswith("=" * 70)]
    return _all(_UNITTEST, titles, int(counts.get("failures", 0)) + int(counts.get("errors", 0)))


def _go(_command: str, lines: Sequence[str]) -> Names | None:
    """``--- FAIL: TestX`` for each, then ``FAIL`` and the package, and ``FAIL`` at the very end."""
    if not lines or lines[-1] != "FAIL" or any(line.startswith("panic: ") for line in lines):
        return None
    names: set[str] = set()
    waiting: list[str] = []
    for line in lines[:-1]:
        if test := _GO_TEST.match(line):
            waiting.append(test[1])
        elif line.startswith("FAIL\t"):
            package = _GO_PACKAGE.match(line)
            if package is None or not waiting:  # it was not built, or failed beside its tests
                return None
            names.update(f"{package[1]}.{name}" for name in waiting)
            waiting = []
    return frozenset(names) if names and not waiting else None


def _cargo(command: str, lines: Sequence[str]) -> Names | None:
    """``test result: FAILED. 1 passed; 2 failed;`` for each binary; without ``--no-fail-fast`` the rest is not run."""
    ends = [int(end[1]) for line in lines if (end := _CARGO_END.match(line))]
    last = _without(lines, _CARGO_WORDS)
    if _GO_ON not in command or not ends or not last or not _CARGO_END.match(last[-1]):
        return None
    return _all(_CARGO, lines, sum(ends))


def _tap(_command: str, lines: Sequence[str]) -> Names | None:
    """``not ok 2 - name`` for each, ``# fail N`` at the end: what ``node --test`` says."""
    ends = {end[1]: end[2] for line in lines[-8:] if (end := _TAP_END.match(line))}
    if not {"tests", "fail", "cancelled"} <= ends.keys() or not _TAP_END.match(lines[-1]) or ends["cancelled"] != "0":
        return None
    names, above = set[str](), list[str]()
    for at in reversed(range(len(lines))):  # a test's own line comes after those of its parts
        if found := _TAP.match(lines[at]):
            above[len(found[1]) // 4 :] = [found[2] or ""]
            if not any("type: 'suite'" in line for line in lines[at + 1 : at + 4]):  # it counts tests only
                names.add(" > ".join(above))
    return frozenset(names) if 0 < len(names) == int(ends["fail"]) else None


def _jest(_command: str, lines: Sequence[str]) -> Names | None:
    """A line with a dot and its name for each, ``Tests: 1 failed, 2 passed, 3 total`` near the end."""
    ends = [int(end[1]) for line in lines if (end := _JEST_END.match(line))]
    if len(ends) != 1 or not _JEST_LAST.match(lines[-1]):
        return None
    return _all(_JEST, lines, ends[0])


_READERS: tuple[Callable[[str, Sequence[str]], Names | None], ...] = (_pytest, _unittest, _go, _cargo, _tap, _jest)
