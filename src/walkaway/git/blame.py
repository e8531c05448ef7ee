"""Which unit wrote a line, or made a commit: git's own memory, and the trailers of our commits."""

from dataclasses import dataclass

from walkaway.core.errors import Usage
from walkaway.core.ids import MilestoneId, Sha, UnitKey, milestone_of, parse_unit
from walkaway.git.repo import Repo
from walkaway.git.worktrees import line_ref

TRAILER = "--format=%H%x00%(trailers:key=Walkaway-Unit,valueonly)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The commit that a line or a name stands for, and the unit that made it; None where no unit did."""

    sha: Sha
    unit: UnitKey | None


def unit_of(repo: Repo, rev: str) -> Written:
    """Return what made a commit; raise `Usage` where ``rev`` names none."""
    done = repo.run("show", "--no-patch", TRAILER, f"{rev}^{{commit}}", "--")
    if done.exit_code != 0:
        raise Usage(f"'{rev}' is no part of the plan, no line of a file and no commit.")
    sha, _, unit = done.output.strip().partition("\0")
    return Written(sha=Sha(sha), unit=parse_unit(unit.strip()) if unit.strip() else None)


def unit_of_line(repo: Repo, path: str, number: int) -> Written:
    """Return what wrote a line of a file as it is checked out, as finely as git knows: the task, not the merge.

    Raises `Usage` where there is no such line.
    """
    found = _blame(repo, "HEAD", path, number)
    if found is None:
        raise Usage(
            f"HEAD has no line {number} of {path}: write the path from the top of the project, as in src/a.py:12."
        )
    merged = unit_of(repo, found.sha)
    if merged.unit is None:
        return merged
    milestone: MilestoneId = milestone_of(merged.unit.target)
    finer = _blame(repo, line_ref(milestone), found.path, found.number)
    if finer is None or finer.text != found.text:
        return merged  # the target moved on meanwhile: the milestone is what is certain
    made = unit_of(repo, finer.sha)
    return made if made.unit else merged


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    sha: Sha
    path: str
    number: int
    text: str


def _blame(repo: Repo, rev: str, path: str, number: int) -> _Line | None:
    done = repo.run("blame", "--porcelain", "-L", f"{number},{number}", rev, "--", path)
    if done.exit_code != 0:
        return None
    first, *rest = done.output.splitlines()
    sha, original, *_ = first.split(" ")
    name = next((line.removeprefix("filename ") for line in rest if line.startswith("filename ")), path)
    text = next((line[1:] for line in rest if line.startswith("\t")), "")
    return _Line(sha=Sha(sha), path=name, number=int(original), text=text)
