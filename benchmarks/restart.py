"""How long a killed run stands still: from ``kill -9`` to the first model request of the next ``walkaway auto``."""

import time
from collections.abc import Callable
from pathlib import Path
from subprocess import DEVNULL, Popen

from benchmarks import play
from benchmarks.measure import BenchmarkError, environment, project, sample, script
from benchmarks.run12 import BARE_IMPORT, hand_in
from benchmarks.table import Baseline, Row

LIMIT_S = 5.0
PATIENCE_S = 60.0
MOMENTS = ("plan-milestone M001", "execute-task M001/S01/T02", "validate-milestone M001")
"""The unit that the run is killed in: in front of its last reply, when it has done all its other work."""


def measure() -> list[Row]:
    """Return one row: the slowest of the moments."""
    seen = {unit: _killed_in(unit) for unit in MOMENTS}
    with project() as root:
        bare = sample(BARE_IMPORT, root, times=3)
    worst = max(seen, key=lambda unit: seen[unit])
    return [
        Row(
            name="restart after kill -9",
            value=seen[worst],
            unit="s",
            limit=LIMIT_S,
            baseline=Baseline(name="import pydantic_ai + OpenAI", value=bare.least),
            how="; ".join(f"in {unit}: {seconds:.2f}" for unit, seconds in seen.items()),
        )
    ]


def _killed_in(unit: str) -> float:
    with project() as root, play.playback(root.parent, play.script(stall=unit)) as model:
        hand_in(root)
        steps = _steps(unit)
        _run_until(root, model, lambda: _asked(model, unit) == steps)
        before = len(model.requests())
        killed = time.time()
        _run_until(root, model, lambda: len(model.requests()) > before)
        first = model.requests()[before]
    if first.unit != unit:
        raise BenchmarkError(f"After the kill in {unit} the next run began with {first.unit}.")
    return first.t - killed


def _steps(unit: str) -> int:
    return next(len(say) for line, say in play.lines() if line == unit)


def _asked(model: play.Playback, unit: str) -> int:
    return sum(request.unit == unit for request in model.requests())


def _run_until(root: Path, model: play.Playback, reached: Callable[[], bool]) -> None:
    """Start a run and kill it as soon as ``reached`` says so."""
    until = time.monotonic() + PATIENCE_S
    env = environment(model.settings())
    with Popen([script(), "auto"], cwd=root, env=env, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL) as run:
        try:
            while not reached():
                if run.poll() is not None:
                    raise BenchmarkError(f"The run ended with {run.returncode} before it could be killed.")
                if time.monotonic() > until:
                    raise BenchmarkError(f"The run did not reach its moment in {PATIENCE_S:.0f} s.")
                time.sleep(0.01)
        finally:
            run.kill()
