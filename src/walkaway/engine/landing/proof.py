"""Can the tests of a task fail?  What was implemented is taken back in a scratch checkout, and one of them has to.

A test that passes with and without the work shows nothing; one that was made weaker shows less than before.
"""

from collections.abc import Sequence
from dataclasses import replace

from walkaway.core.errors import CannotRun
from walkaway.core.failing.known import failing
from walkaway.core.failing.tests import KEPT, WITHOUT, is_test, weakened
from walkaway.core.ids import Sha
from walkaway.core.model import Dispatch, Evidence, Phase, Result, Snapshot
from walkaway.core.verdict import Accepted, CheckRun, Rejected, Unjudged, passed
from walkaway.engine.checks import NOBODY, record, set_up
from walkaway.engine.result import Progress
from walkaway.engine.run import Run

LONGEST_S = 300.0
"""How long a check may take to fail without the change; the project's own time-out where that is shorter."""
MOST_BYTES = 1 << 20
UNREADABLE = "\N{REPLACEMENT CHARACTER}"

Verdict = Accepted | Rejected | Unjudged
Evidences = Sequence[Evidence]


def prove(run: Run, s: Snapshot, d: Dispatch, seen: Evidences, verdict: Verdict) -> tuple[Snapshot, Verdict]:
    """Look at the tests of work that its checks accept; what is doubtful is evidence, and refuses it where told so."""
    if s.policy.tests == "off" or not isinstance(verdict, Accepted):
        return s, verdict
    changed = [path for path in run.workspace.changed(d.base_sha, d.commit_sha) if UNREADABLE not in path]
    tests = [path for path in changed if is_test(path)]
    work = tuple(path for path in changed if path not in tests)
    s, weaker = _weaker(run, s, d, tests)
    s, proof = _proof(run, s, d, tests, work, [e for e in seen if passed(e)])
    for found, why in (
        (weaker, "The tests of this task ask less than before it."),
        (proof, "No test of this task fails without its implementation: they show nothing."),
    ):
        if found is not None and found.result is Result.FAIL:
            run.tell(Progress(kind="note", text=f"{d.key}: {why}", unit=str(d.key)))
            if s.policy.tests == "refuse":
                return s, Rejected(why=why, output=found.output)
    return s, verdict


def _weaker(run: Run, s: Snapshot, d: Dispatch, tests: Sequence[str]) -> tuple[Snapshot, Evidence | None]:
    """Record that the tests ask less than before, if they do."""
    if recorded := _recorded(s, d, KEPT):
        return s, recorded
    before = _texts(run, d.base_sha, tests)
    said = weakened(before, _texts(run, d.commit_sha, tests)) if before else ""
    if not said:
        return s, None
    done = CheckRun(command=KEPT, result=Result.FAIL, exit_code=None, duration_ms=0, output=f"{said}\n")
    return record(run, s, done, NOBODY, dispatch=d.id, phase=Phase.WORK, tree=d.commit_sha)


def _proof(
    run: Run, s: Snapshot, d: Dispatch, tests: Sequence[str], work: tuple[str, ...], passing: Evidences
) -> tuple[Snapshot, Evidence | None]:
    """Record whether a test of this task fails without its implementation; nothing where there is nothing to try."""
    if recorded := _recorded(s, d, WITHOUT):
        return s, recorded
    if not (tests and work and passing):
        return s, None
    tried: list[CheckRun] = []
    try:
        with run.workspace.clean_checkout(run.lease, d.commit_sha, "proof", work, d.base_sha) as path:
            set_up(run, s, path)
            for e in passing:
                run.gate()
                run.step(f"checking that its tests can fail: {e.command}", str(d.key))
                done = run.verifier.run(e.command, path, min(s.policy.checks_timeout_s, LONGEST_S), run.cancel)
                tried.append(done)
                if _red(run, e, done, tests):
                    return _said(run, s, d, replace(done, result=Result.PASS))
    except CannotRun:  # without the change it cannot be set up: nothing is known
        return s, None
    silent = next((done for done in tried if done.result in {Result.TIMEOUT, Result.CANNOT_RUN}), None)
    return _said(run, s, d, silent or replace(tried[-1], result=Result.FAIL))


def _red(run: Run, e: Evidence, done: CheckRun, tests: Sequence[str]) -> bool:
    """Whether one of the task's tests failed; where the output names none, whether a check that passed failed."""
    if done.result is not Result.FAIL:
        return False
    names = failing(done.command, done.exit_code, done.output)
    if not names:
        return e.result is Result.PASS
    before = failing(e.command, e.exit_code, run.store.texts([e.output])[e.output]) if e.known else frozenset()
    return any("::" not in name or name.partition("::")[0] in tests for name in names - before)


def _recorded(s: Snapshot, d: Dispatch, how: str) -> Evidence | None:
    found = (e for e in s.evidence.values() if e.dispatch_id == d.id and e.command.endswith(how))
    return next(found, None)


def _texts(run: Run, sha: Sha, paths: Sequence[str]) -> dict[str, str]:
    read = ((path, run.workspace.read(sha, path, MOST_BYTES)) for path in paths)
    return {path: text for path, text in read if text is not None}


def _said(run: Run, s: Snapshot, d: Dispatch, done: CheckRun) -> tuple[Snapshot, Evidence]:
    told = replace(done, command=f"{done.command}{WITHOUT}")
    return record(run, s, told, NOBODY, dispatch=d.id, phase=Phase.WORK, tree=d.commit_sha)
