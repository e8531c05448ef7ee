"""Histories that the tests of the surfaces look at: facts of one milestone, in an order that can happen."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from walkaway.core import events as e
from walkaway.core.evolve import evolve
from walkaway.core.fleet.overview import MilestoneRow, Overview, WorkerRow
from walkaway.core.ids import (
    DispatchId,
    MilestoneId,
    ProjectId,
    Scope,
    Sha,
    SliceId,
    TaskId,
    TextHash,
    WorkerId,
    slice_id,
    task_id,
)
from walkaway.core.model import Evidence, Phase, Policy, Question, Result, Snapshot, Usage
from walkaway.store.door import blank

SPEC = TextHash("5" * 64)
BASE = Sha("a" * 40)
BEGAN = 1_767_607_872.0  # 2026-01-05T10:11:12Z
M = MilestoneId("M001")


def created(milestone: MilestoneId = M, title: str = "Ledger export") -> list[e.Event]:
    return [
        e.MilestoneCreated(milestone=milestone, title=title, context=SPEC),
        e.PolicyChanged(policy=Policy(usd=25.0)),
    ]


def planned(milestone: MilestoneId = M, slices: int = 2, title: str = "Ledger export") -> list[e.Event]:
    plans = tuple(
        e.SlicePlan(
            id=slice_id(milestone, n),
            title=f"Part {n}",
            demo=f"`ledger part{n}` prints something.",
            goal=f"Part {n} works.",
            risk="high" if n == 1 else "low",
            depends=(slice_id(milestone, n - 1),) if n > 1 else (),
        )
        for n in range(1, slices + 1)
    )
    return [
        e.TargetPinned(branch="main", sha=BASE),
        e.MilestonePlanned(title=title, vision="One file a month.", criteria=("it exports",), slices=plans),
    ]


def sliced(slice_: SliceId, tasks: int = 2) -> list[e.Event]:
    plans = tuple(
        e.TaskPlan(
            id=task_id(slice_, n),
            title=f"Task {n}",
            description=f"Write it.\n\nThen test part {n}.",
            files=(f"src/part{n}.py",),
            verify="python -m unittest",
        )
        for n in range(1, tasks + 1)
    )
    return [
        e.SlicePlanned(slice=slice_, goal="The columns are fixed.", must_haves=("order never changes",), tasks=plans)
    ]


def claimed(number: int, unit: str, target: str, attempt: int = 1, milestone: MilestoneId = M) -> list[e.Event]:
    dispatch = DispatchId(f"{milestone}-D{number:03}")
    return [
        e.DispatchClaimed(
            dispatch=dispatch, unit=unit, target=target, attempt=attempt, worker=WorkerId("w1"),
            epoch=1, token=1, base=BASE,
        ),
        e.DispatchStarted(dispatch=dispatch),
    ]  # fmt: skip


def failed(number: int, why: str = "The check `python -m unittest` failed with exit code 1.") -> list[e.Event]:
    dispatch = DispatchId(f"{M}-D{number:03}")
    return [e.DispatchFailed(dispatch=dispatch, failure="verification", why=why, output=TextHash(""), next_run_at=0.0)]


def evidence(number: int, dispatch: str, result: Result = Result.PASS, phase: Phase = Phase.WORK) -> e.Event:
    return e.EvidenceRecorded(
        evidence=Evidence(
            id=f"{M}-E{number:04}", dispatch_id=dispatch, phase=phase, tree=Sha("c" * 40),
            command="python -m unittest", result=result, exit_code=0 if result is Result.PASS else 1, duration_ms=812,
        )
    )  # fmt: skip


def task_done(number: int, task: TaskId, attempt: int = 1) -> list[e.Event]:
    dispatch = DispatchId(f"{M}-D{number:03}")
    return [
        *claimed(number, "execute-task", task, attempt),
        e.DispatchReported(dispatch=dispatch, report=TextHash("b" * 64), commit=Sha("c" * 40)),
        evidence(number, dispatch),
        e.TaskDone(
            task=task, summary="Ordered column model", narrative="Wrote it | with care.",
            key_files=("src/part1.py",), verified="passed", commit=Sha("c" * 40),
        ),
        e.DispatchCompleted(dispatch=dispatch, head=Sha("c" * 40)),
    ]  # fmt: skip


def whole() -> list[e.Event]:
    """One slice with two tasks, from nothing to integrated; the first task passes on its second attempt."""
    slice_ = slice_id(M, 1)
    first, second = task_id(slice_, 1), task_id(slice_, 2)
    last = DispatchId(f"{M}-D004")
    return [
        *created(),
        *planned(slices=1),
        *sliced(slice_),
        *claimed(1, "execute-task", first),
        *failed(1),
        *task_done(2, first, attempt=2),
        *task_done(3, second),
        e.SliceDone(slice=slice_, summary="Columns and a writer exist."),
        e.MilestoneValidated(verdict="pass"),
        *claimed(4, "complete-milestone", M),
        e.DispatchReported(dispatch=last, report=TextHash("d" * 64), commit=Sha("d" * 40)),
        e.IntegrationPrepared(dispatch=last, base=BASE, commit=Sha("c" * 40), verified=True),
        e.EvidenceRecorded(
            evidence=Evidence(
                id=f"{M}-E0009", dispatch_id=last, phase=Phase.INTEGRATION, tree=Sha("c" * 40),
                command="python -m unittest", result=Result.PASS, exit_code=0, duration_ms=903,
            )
        ),
        e.MilestoneDone(summary="A month can be exported.", commit=Sha("c" * 40)),
        e.DispatchCompleted(dispatch=last, head=Sha("d" * 40)),
    ]  # fmt: skip


def question(reason: str = "attempts", options: tuple[str, ...] = ("retry",)) -> e.Event:
    return e.QuestionRaised(
        question=Question(
            id=f"{M}-Q1", unit="execute-task M001/S01/T01", reason=reason,
            text="execute-task M001/S01/T01 was refused 3 times.", remedies=("answer retry",), options=options,
        )
    )  # fmt: skip


def told(facts: Sequence[e.Event], *, rev: int = 1, usage: Usage | None = None) -> Snapshot:
    """Return the state that the facts lead to, one second apart."""
    s = blank(ProjectId("p"), Scope(M))
    s = reduce(lambda s, pair: evolve(s, pair[1], BEGAN + pair[0]), enumerate(facts), s)
    return replace(s, rev=rev, now=BEGAN + len(facts), usage=usage or Usage())


def overview(*snapshots: Snapshot, workers: tuple[WorkerRow, ...] = ()) -> Overview:
    """Return the overview that belongs to these milestones."""
    return Overview(
        project=ProjectId("p"),
        now=max((s.now for s in snapshots), default=BEGAN),
        milestones=tuple(row(s) for s in snapshots),
        workers=workers,
        usage=snapshots[0].usage if snapshots else Usage(),
    )


def row(s: Snapshot) -> MilestoneRow:
    return MilestoneRow(
        id=s.milestone.id,
        title=s.milestone.title,
        status=s.milestone.status,
        slices_done=sum(x.status == "complete" for x in s.slices.values()),
        slices_total=len(s.slices),
        tasks_done=sum(t.status == "complete" for t in s.tasks.values()),
        tasks_total=len(s.tasks),
        open_questions=sum(q.open for q in s.questions.values()),
        holder=s.live.worker_id if s.live else None,
        expires_at=0.0,
    )


def worker(name: str = "w1", pid: int = 4711) -> WorkerRow:
    return WorkerRow(
        id=WorkerId(name), host="here", boot_id="b", pid=pid, started=1.0, status="active", beat_at=BEGAN, unit="u"
    )
