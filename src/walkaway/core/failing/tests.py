"""What a change did to the tests: which files they are in, and whether they ask less than before; pure."""

import re
from collections.abc import Iterable, Mapping

from walkaway.core.model import DispatchStatus, Result, Snapshot

WITHOUT = " (without the change)"
"""What follows a check's command in the evidence of whether the tests of a task can fail."""
KEPT = "(tests kept)"
"""What stands for a command in the evidence that tests were weakened."""

_FOLDERS = frozenset({"test", "tests", "spec", "specs", "__tests__", "testing"})
_NAMED = re.compile(r"(?:test_.*|.*_(?:test|spec)|.*\.(?:test|spec)|conftest)\.\w+|.*Tests?\.(?:java|kt|cs|swift)")
_COUNTED: Mapping[str, "re.Pattern[str]"] = {
    "tests": re.compile(
        r"^\s*(?:async\s+)?def\s+test|^func\s+(?:Test|Fuzz)|^\s*#\[(?:\w+::)*test\b|^\s*@(?:Parameterized)?Test\b"
        r"|^\s*(?:it|test)(?:\.each\(.*\))?\s*\(",
        re.MULTILINE,
    ),
    "assertions": re.compile(
        r"\bassert\w*\b(?!\s*=)|\bself\.fail\(|\bpytest\.raises\b|\bexpect\s*\(|\bt\.(?:Error|Fatal)f?\(|\brequire\.\w+\("
    ),
}
_SKIPPED = re.compile(
    r"@(?:unittest\.)?(?:skip|expectedFailure)|pytest\.(?:mark\.)?(?:skip|xfail)|\.skip(?:Test|If|Now)?\(|\bx(?:it|test|describe)\("
    r"|\b(?:it|test|describe)\.only\(|\bt\.Skip|#\[ignore|@(?:Disabled|Ignore)\b"
)


def is_test(path: str) -> bool:
    """Whether a file belongs to the tests, by its name or by the folder that it is in."""
    *folders, name = path.split("/")
    return not _FOLDERS.isdisjoint(folders) or bool(_NAMED.fullmatch(name))


def weakened(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Say in what the test files ``after`` a change ask less than those ``before`` it, each by path; "" if in nothing.

    All changed files are counted together: a test that moved to another file is no test less.
    """
    said = [
        f"{_count(pattern, before) - now} fewer {what} ({now} of {_count(pattern, before)} left)"
        for what, pattern in _COUNTED.items()
        if (now := _count(pattern, after)) < _count(pattern, before)
    ]
    if (more := _count(_SKIPPED, after) - _count(_SKIPPED, before)) > 0:
        said.append(f"{more} more skipped or expected to fail")
    if not said:
        return ""
    gone = sorted(before.keys() - after.keys())
    return "; ".join(said) + (f"; deleted: {', '.join(gone)}" if gone else "")


def doubts(s: Snapshot, slice_id: str = "") -> Iterable[str]:
    """Yield what is doubtful about the tests of finished tasks, of one slice or of all."""
    for d in s.dispatches.values():
        if d.status is DispatchStatus.COMPLETED and f"{d.target}/".startswith(slice_id and f"{slice_id}/"):
            for e in s.evidence.values():
                if e.dispatch_id == d.id and e.result is Result.FAIL and e.command == KEPT:
                    yield f"{d.target}: its tests ask less than before"
                elif e.dispatch_id == d.id and e.result is Result.FAIL and e.command.endswith(WITHOUT):
                    yield f"{d.target}: none of its tests fails without its implementation"


def _count(pattern: "re.Pattern[str]", files: Mapping[str, str]) -> int:
    return sum(len(pattern.findall(text)) for text in files.values())
