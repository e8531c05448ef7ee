"""What a storm came to, in numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from walkaway.chaos.verdict import Verdict

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The numbers of one storm."""

    seed: int
    database: str
    seconds: float = 0.0
    faults: Mapping[str, int]
    """How many of each kind happened."""
    skipped: Mapping[str, str]
    """The kinds that cannot be here, and why."""
    refusals: Mapping[int, int]
    """How often the model answered with which error."""
    milestones: int
    workers: int
    """Processes that were started."""
    ends: Mapping[str, int]
    """How they ended: by which signal, or with which status."""
    units: int
    """Dispatches completed."""
    runs: int
    """Dispatches begun."""
    recoveries: Sequence[float]
    """Of each unit that a kill cut off, how many seconds later it ran again."""
    taken: int
    """Leases that a worker took from another that was gone or did not renew."""
    questions: Mapping[str, int]
    """What people were asked, by reason."""
    unlocked: Sequence[str]
    """Locks that a killed git left behind and people removed."""
    remarks: Mapping[str, int] = field(default_factory=dict)
    """What the doctor has to say besides, by code."""
    verdict: Verdict = field(default_factory=Verdict)
    again: str = ""
    """The command that repeats it."""
    kept: str = ""
    """The folder, where it was kept."""

    @property
    def survived(self) -> bool:
        """Whether everything held."""
        return self.verdict.survived

    def json(self) -> Json:
        """Return the one object for programs."""
        v = self.verdict
        return {
            "v": 1,
            "seed": self.seed,
            "database": self.database,
            "duration_s": round(self.seconds, 1),
            "faults": {"total": sum(self.faults.values()), "by_kind": dict(self.faults)},
            "skipped": dict(self.skipped),
            "model_errors": {str(status): count for status, count in self.refusals.items()},
            "milestones": self.milestones,
            "workers": {"started": self.workers, "ended": dict(self.ends)},
            "units": {"completed": self.units, "runs": self.runs, "repeated": self.runs - self.units},
            "recoveries": {
                "leases_taken": self.taken,
                "units": len(self.recoveries),
                "longest_s": round(max(self.recoveries, default=0.0), 1),
            },
            "questions": dict(self.questions),
            "git_locks_removed": list(self.unlocked),
            "doctor": dict(self.remarks),
            "lost": list(v.lost),
            "doubled": list(v.doubled),
            "wedged": list(v.wedged),
            "wrong": list(v.wrong),
            "survived": self.survived,
            "again": self.again,
            "kept": self.kept or None,
        }

    def lines(self) -> Iterator[str]:
        """Yield the report for people."""
        v = self.verdict
        yield _row("seed", f"{self.seed}, on {self.database}, {self.seconds:.0f} s")
        yield _row("faults", f"{sum(self.faults.values())}: {_counts(self.faults)}")
        yield _row("from the model", _counts({f"status {s}": n for s, n in self.refusals.items()}) or "no error")
        for kind, why in self.skipped.items():
            yield _row("skipped", f"{kind}: {why}")
        yield _row("workers", f"{self.workers} started; they ended: {_counts(self.ends)}")
        done = f"{self.units} done in {self.milestones} milestones, {self.runs - self.units} runs repeated"
        yield _row("units", done)
        longest = f", {max(self.recoveries):.1f} s at most until the unit ran again" if self.recoveries else ""
        yield _row("recoveries", f"{self.taken} leases taken over; {len(self.recoveries)} units after a kill{longest}")
        yield _row("questions", f"{sum(self.questions.values())} {_counts(self.questions)}".strip())
        if self.unlocked:
            yield _row("git's locks", f"{len(self.unlocked)} left by a killed git: {', '.join(self.unlocked)}")
        if self.remarks:
            yield _row("doctor", _counts(self.remarks))
        for name, found in (
            ("lost commits", v.lost),
            ("double completions", v.doubled),
            ("wedged milestones", v.wedged),
            ("anything else", v.wrong),
        ):
            yield _row(name, str(len(found)))
            yield from (f"    {each}" for each in found)
        yield "It survived." if self.survived else f"It did not survive; the folder is {self.kept}."
        yield f"To repeat: {self.again}"


def _row(name: str, said: str) -> str:
    return f"{name:<19} {said}"


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
