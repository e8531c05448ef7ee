"""What survived and what did not, judged from what was found at the end; pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

COMPLETE = "complete"
INTEGRATION = "complete-milestone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit of a line of history; ``unit`` is what its trailer says that it does, "" where it has none."""

    sha: str
    parents: int = 1
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one milestone ended. ``units`` is what its plan asks for, in order."""

    units: Sequence[str]
    status: str = COMPLETE
    why: str = ""
    """What kept it from being complete, as far as the project says."""
    completed: Sequence[tuple[str, str]] = ()
    """The ledger: each completed dispatch by its unit, with its commit."""
    line: Sequence[Commit] = ()
    """What ``refs/walkaway/<milestone>`` has beyond its target, oldest first."""
    published: str = ""
    """The integration commit, once it was moved to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that the judgement needs, read when nothing moves any more."""

    milestones: Mapping[str, Ending]
    main: Sequence[Commit]
    """The target's history, oldest first."""
    seen: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Every tip that a ref was seen at, by ref."""
    reached: Mapping[str, Collection[str]] = field(default_factory=dict)
    """What each of those refs reaches now."""
    foreign: Sequence[str] = ()
    """The commits that somebody else made on the target."""
    files: Mapping[str, str] = field(default_factory=dict)
    """The files of the target by name, with their blob."""
    wanted: Mapping[str, str] = field(default_factory=dict)
    """What they should be."""
    left: Sequence[str] = ()
    """What should have ended and has not: dispatches, leases, workers, processes; in words."""
    wrong: Sequence[str] = ()
    """What else was found that must not be, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found wanting, each thing in words; all is well where there is nothing."""

    lost: Sequence[str] = ()
    """Commits that were there and are not reachable from where they belong."""
    doubled: Sequence[str] = ()
    """Units and integrations that were completed more than once."""
    wedged: Sequence[str] = ()
    """Milestones that did not become complete although nothing was in their way any more."""
    wrong: Sequence[str] = ()
    """Any other promise that does not hold."""

    @property
    def survived(self) -> bool:
        """Whether all of it held."""
        return not (self.lost or self.doubled or self.wedged or self.wrong)

    @property
    def all(self) -> Sequence[str]:
        """Everything that was found wanting."""
        return (*self.lost, *self.doubled, *self.wedged, *self.wrong)


def judge(facts: Facts) -> Verdict:
    """Return what the facts come to."""
    return Verdict(
        lost=tuple(_lost(facts)),
        doubled=tuple(_doubled(facts)),
        wedged=tuple(f"{m} is {e.status}{_because(e.why)}" for m, e in _incomplete(facts)),
        wrong=(*_undone(facts), *_bent(facts), *_differing(facts), *facts.left, *facts.wrong),
    )


def _incomplete(facts: Facts) -> Iterable[tuple[str, Ending]]:
    return ((m, ending) for m, ending in facts.milestones.items() if ending.status != COMPLETE)


def _lost(facts: Facts) -> Iterable[str]:
    main = {commit.sha for commit in facts.main}
    for milestone, ending in facts.milestones.items():
        line = {commit.sha for commit in ending.line}
        for unit, sha in ending.completed:
            if sha not in line:
                yield f"{sha[:12]} of {unit} is not on the line of {milestone}"
        if ending.published and ending.published not in main:
            yield f"{ending.published[:12]}, the integration of {milestone}, is not on the target"
    for ref, tips in facts.seen.items():
        for sha in sorted(set(tips) - set(facts.reached.get(ref, ()))):
            yield f"{sha[:12]}, which {ref} was at, is not reached by it any more"
    for sha in facts.foreign:
        if sha not in main:
            yield f"{sha[:12]}, which somebody else committed to the target, is not on it"


def _doubled(facts: Facts) -> Iterable[str]:
    for milestone, ending in facts.milestones.items():
        for unit, times in Counter(unit for unit, _ in ending.completed).items():
            if times > 1:
                yield f"{unit} was completed {times} times in the ledger"
        for unit, times in Counter(commit.unit for commit in ending.line if commit.unit).items():
            if times > 1:
                yield f"{unit} has {times} commits on the line of {milestone}"
        times = _integrations(facts, milestone)
        if times > 1:
            yield f"{milestone} was integrated {times} times"


def _undone(facts: Facts) -> Iterable[str]:
    """Find complete milestones in which something was not done, or that was never asked for."""
    for milestone, ending in facts.milestones.items():
        if ending.status != COMPLETE:
            continue
        for where, found in (
            ("ledger", {unit for unit, _ in ending.completed}),
            ("line", {commit.unit for commit in ending.line}),
        ):
            if missing := [unit for unit in ending.units if unit not in found]:
                yield f"{milestone} is complete, but its {where} has no {', '.join(missing)}"
            if strange := sorted(found - set(ending.units)):
                yield f"the {where} of {milestone} has {', '.join(strange)}, which nobody planned"
        if not _integrations(facts, milestone):
            yield f"{milestone} is complete, but no commit of the target integrates it"


def _integrations(facts: Facts, milestone: str) -> int:
    return sum(1 for commit in facts.main if commit.unit == f"{INTEGRATION} {milestone}")


def _bent(facts: Facts) -> Iterable[str]:
    """Find where the target's history is not one line."""
    return (
        f"{commit.sha[:12]} on the target has {commit.parents} parents"
        for commit in facts.main[1:]
        if commit.parents != 1
    )


def _differing(facts: Facts) -> Iterable[str]:
    if any(True for _ in _incomplete(facts)):
        return  # what is not complete cannot be there; its loss is told already
    for name in sorted({*facts.files, *facts.wanted}):
        found, wanted = facts.files.get(name), facts.wanted.get(name)
        if found != wanted:
            how = "is missing on" if found is None else "should not be on" if wanted is None else "is another on"
            yield f"{name} {how} the target"


def _because(why: str) -> str:
    return f": {why}" if why else ""
