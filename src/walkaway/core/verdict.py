"""Is the evidence good enough?  Report + evidence -> Accepted | Rejected | Unjudged."""

from collections.abc import Sequence
from dataclasses import dataclass

from walkaway.core.ids import TextHash
from walkaway.core.model import Evidence, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRun:
    """What one command did: its result, exit code (None where it never ended by itself) and bounded output."""

    command: str
    result: Result
    exit_code: int | None
    duration_ms: int
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """No check found anything wrong; ``verified`` if at least one looked and passed."""

    verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A check says no; the words and its output go into the next brief."""

    why: str
    output: TextHash


@dataclass(frozen=True, slots=True, kw_only=True)
class Unjudged:
    """A check could not be run, so nothing is known: mend the environment."""

    why: str
    output: TextHash


def judge(evidence: Sequence[Evidence], planned: str = "") -> Accepted | Rejected | Unjudged:
    """Judge the checks of one tree: a failure outweighs a check that could not run, which outweighs a pass.

    Tests that failed before anything was changed are not held against the work; they are not to be more.

    ``planned``: a command of the plan, not of the project. That it cannot run is no fault of the environment that a
    person has to mend: whoever does the task makes it run, or has the slice planned anew.
    """
    for found in evidence:
        if found.result is Result.FAIL and not excused(found):
            return Rejected(why=_failed(found), output=found.output)
        if found.result is Result.TIMEOUT:
            seconds = found.duration_ms / 1000
            return Rejected(why=f"The check `{found.command}` did not end within {seconds:.0f} s.", output=found.output)
    for found in evidence:
        if found.result is Result.CANNOT_RUN and found.command == planned:
            can_be = "Make it run, or say in `blocker` why it never can."
            return Rejected(why=f"The task's own command `{planned}` could not be run. {can_be}", output=found.output)
        if found.result is Result.CANNOT_RUN:
            return Unjudged(why=f"The check `{found.command}` could not be run.", output=found.output)
    return Accepted(verified=any(passed(found) for found in evidence))


def passed(evidence: Evidence) -> bool:
    """Whether a check found nothing that was not there before the work began."""
    return evidence.result is Result.PASS or excused(evidence)


def excused(evidence: Evidence) -> bool:
    """Whether a check failed by such tests alone that failed on the target before anything was changed."""
    return evidence.result is Result.FAIL and 0 < evidence.failing == evidence.known


def _failed(evidence: Evidence) -> str:
    told = f"The check `{evidence.command}` failed with exit code {evidence.exit_code}."
    if not evidence.known:
        return told
    return f"{told} {evidence.known} known, {evidence.failing - evidence.known} new."
