"""Run the checks of one tree and record what was seen; what is recorded already is not run again."""

from collections.abc import Sequence

from walkaway.core.errors import CannotRun
from walkaway.core.events import EvidenceRecorded
from walkaway.core.ids import NO_TEXT, Sha
from walkaway.core.model import Evidence, Phase, Result, Snapshot
from walkaway.core.verdict import CheckRun
from walkaway.engine.run import Run
from walkaway.store.blobs import clean, text_hash

NO_COMMAND = "(no check)"


def examine(
    run: Run, s: Snapshot, *, path: str, dispatch: str, phase: Phase, tree: Sha, own: str = ""
) -> tuple[Snapshot, Sequence[Evidence]]:
    """Set the checkout at ``path`` (of ``tree``) up, run the project's checks there and record each as it ends.

    ``own``: the command that judges this unit alone, run after them unless it is one of them.

    A check that cannot be run is run once more after a set-up. Return the evidence of this tree. Raises `CannotRun`
    and `Cancelled` as `set_up` does.
    """
    set_up(run, s, path)
    commands = commands_of(run, s, path, own)
    known = _known(s, dispatch, phase, tree)
    seen: list[Evidence] = []
    for command in commands:
        if command in known:
            seen.append(known[command])
            continue
        run.step(f"checking: {command}", dispatch)
        done = _run_one(run, s, command, path)
        s, evidence = _record(run, s, done, dispatch=dispatch, phase=phase, tree=tree)
        seen.append(evidence)
    if not commands and NO_COMMAND not in known:
        nothing = CheckRun(command=NO_COMMAND, result=Result.NO_CHECK, exit_code=None, duration_ms=0, output="")
        s, evidence = _record(run, s, nothing, dispatch=dispatch, phase=phase, tree=tree)
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


def _record(
    run: Run, s: Snapshot, done: CheckRun, *, dispatch: str, phase: Phase, tree: Sha
) -> tuple[Snapshot, Evidence]:
    output = clean(done.output)
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
    )
    after = run.commit([EvidenceRecorded(evidence=evidence)], texts=[output])
    return after, evidence
