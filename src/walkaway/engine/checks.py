"""Run the checks of one tree and record what was seen; what is recorded already is not run again."""

from collections.abc import Sequence
from dataclasses import dataclass

from walkaway.core.errors import CannotRun
from walkaway.core.events import EvidenceRecorded
from walkaway.core.failing.known import NONE, Names, failing
from walkaway.core.ids import NO_SHA, NO_TEXT, Sha
from walkaway.core.model import Evidence, Phase, Result, Snapshot
from walkaway.core.verdict import CheckRun, excused
from walkaway.engine.run import Run
from walkaway.store.blobs import clean, text_hash

NO_COMMAND = "(no check)"
SHOWN = 20
"""How many of the tests that fail anew are named beside the output that names them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tests:
    """Which tests failed in one run of a check, as far as that is certain, and which of them did so before."""

    failing: Names = NONE
    known: Names = NONE

    @property
    def told(self) -> str:
        """What is said beside the output of a check that fails by more than what is known."""
        new = sorted(self.failing - self.known)
        if not self.known or not new:
            return ""
        more = f" and {len(new) - SHOWN} more" if len(new) > SHOWN else ""
        return f"\n[{len(self.known)} known, {len(new)} new: {', '.join(new[:SHOWN])}{more}]\n"


NOBODY = Tests()


def examine(
    run: Run, s: Snapshot, *, path: str, dispatch: str, phase: Phase, tree: Sha, base: Sha, own: str = ""
) -> tuple[Snapshot, Sequence[Evidence]]:
    """Set the checkout at ``path`` (of ``tree``) up, run the project's checks there and record each as it ends.

    ``own``: the command that judges this unit alone, run after them unless it is one of them. ``base``: the commit of
    the target that the work stands on; what fails there is known.

    A check that cannot be run is run once more after a set-up. Return the evidence of this tree. Raises `CannotRun`
    and `Cancelled` as `set_up` does.
    """
    set_up(run, s, path)
    projects, commands = run.verifier.checks(path, s.policy.checks), commands_of(run, s, path, own)
    known = _known(s, dispatch, phase, tree)
    seen: list[Evidence] = []
    for command in commands:
        if command in known:
            seen.append(known[command])
            continue
        run.step(f"checking: {command}", dispatch)
        done = _run_one(run, s, command, path)
        s, tests = _tests(run, s, done, path=path, phase=phase, base=base if command in projects else NO_SHA)
        s, evidence = record(run, s, done, tests, dispatch=dispatch, phase=phase, tree=tree)
        seen.append(evidence)
    if not commands and NO_COMMAND not in known:
        nothing = CheckRun(command=NO_COMMAND, result=Result.NO_CHECK, exit_code=None, duration_ms=0, output="")
        s, evidence = record(run, s, nothing, NOBODY, dispatch=dispatch, phase=phase, tree=tree)
        seen.append(evidence)
    return s, seen


def commands_of(run: Run, s: Snapshot, path: str, own: str) -> tuple[str, ...]:
    """Return what judges a tree: the project's checks, and ``own`` unless it is empty or one of them."""
    commands = run.verifier.checks(path, s.policy.checks)
    return (*commands, own) if own and own not in commands else commands


def set_up(run: Run, s: Snapshot, path: str, *, again: bool = False) -> None:
    """Run the set-up commands of a checkout if they have not run for this state of its lock files.

    One that fails is run once more; raises `CannotRun` when it fails again, `Cancelled` when told to stop.
    """
    run.gate()
    try:
        ran = _set_up(run, s, path, again=again)
    except CannotRun:
        run.step("set-up failed; running it once more")
        run.gate()
        ran = _set_up(run, s, path, again=True)
    for done in ran:
        run.step(f"set-up: {done.command} ({done.duration_ms / 1000:.1f} s)")


def _set_up(run: Run, s: Snapshot, path: str, *, again: bool) -> Sequence[CheckRun]:
    return run.verifier.set_up(path, s.policy.setup, run.settings.setup_timeout_s, run.cancel, again=again)


def _run_one(run: Run, s: Snapshot, command: str, path: str) -> CheckRun:
    run.gate()
    timeout_s = s.policy.checks_timeout_s
    done = run.verifier.run(command, path, timeout_s, run.cancel)
    if done.result is not Result.CANNOT_RUN:
        return done
    set_up(run, s, path, again=True)
    return run.verifier.run(command, path, timeout_s, run.cancel)


def _known(s: Snapshot, dispatch: str, phase: Phase, tree: Sha) -> dict[str, Evidence]:
    """Return what need not be run again, by command.

    A check that could not be run says nothing. What a person has answered since may have been mended: then only a
    pass still counts.
    """
    answered = max((q.answered_at for q in s.questions.values()), default=0.0)
    return {
        e.command: e
        for e in s.evidence.values()
        if (e.dispatch_id, e.phase, e.tree) == (dispatch, phase, tree)
        and e.result is not Result.CANNOT_RUN
        and (e.result is Result.PASS or e.at > answered)
    }


def _tests(run: Run, s: Snapshot, done: CheckRun, *, path: str, phase: Phase, base: Sha) -> tuple[Snapshot, Tests]:
    """Return which tests failed in a check, and which of them fail at ``base``, too, where it is run if it was not."""
    names = _failing(done.command, done.result, done.exit_code, clean(done.output))
    if phase is Phase.BASELINE or not names or not base:
        return s, Tests(failing=names, known=names if phase is Phase.BASELINE else NONE)
    there = _at(s, base, done.command)
    if there is None and base == s.milestone.target_sha:  # it was looked at before all, and this was no check of it
        return s, Tests(failing=names)
    if there is None:
        run.step(f"checking whether it failed before: {done.command}")
        with run.workspace.clean_checkout(run.lease, base, "baseline") as clean_path:
            set_up(run, s, clean_path)
            before = _run_one(run, s, done.command, clean_path)
        s, tests = _tests(run, s, before, path=path, phase=Phase.BASELINE, base=base)
        s, there = record(run, s, before, tests, dispatch="", phase=Phase.BASELINE, tree=base)
    said = run.store.texts([there.output])[there.output] if there.output else ""
    return s, Tests(failing=names, known=names & _failing(there.command, there.result, there.exit_code, said))


def _failing(command: str, result: Result, exit_code: int | None, output: str) -> Names:
    return failing(command, exit_code, output) if result is Result.FAIL else NONE


def _at(s: Snapshot, base: Sha, command: str) -> Evidence | None:
    """Return how a check went on a commit of the target before anything was changed."""
    found = (e for e in s.evidence.values() if (e.phase, e.tree, e.command) == (Phase.BASELINE, base, command))
    return next((e for e in reversed([*found]) if e.result is not Result.CANNOT_RUN), None)


def record(
    run: Run, s: Snapshot, done: CheckRun, tests: Tests, *, dispatch: str, phase: Phase, tree: Sha
) -> tuple[Snapshot, Evidence]:
    """Write down what one check said of a tree, and return it with the state after."""
    output = clean(done.output) + tests.told
    evidence = Evidence(
        id=f"{s.milestone.id}-E{len(s.evidence) + 1:04}",
        dispatch_id=dispatch,
        phase=phase,
        tree=tree,
        command=done.command,
        result=done.result,
        exit_code=done.exit_code,
        duration_ms=done.duration_ms,
        output=text_hash(output) if output else NO_TEXT,
        failing=len(tests.failing),
        known=len(tests.known),
    )
    if excused(evidence):
        run.step(f"{evidence.known} failing tests are known from {s.milestone.target_branch}: {done.command}", dispatch)
    after = run.commit([EvidenceRecorded(evidence=evidence)], texts=[output])
    return after, evidence
