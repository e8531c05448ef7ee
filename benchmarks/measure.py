"""How a child is measured: its time, its memory, and what it is held against."""

import compileall
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import walkaway

TIMES = 15
BARE = (sys.executable, "-c", "pass")
_OURS = ("WALKAWAY_", "GIT_", "PYTHON", "OPENAI_", "ANTHROPIC_")
_LAUNCHER = Path(__file__).with_name("launch.py")


class BenchmarkError(Exception):
    """Something that was to be measured did not do what it is measured for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Several runs of one command. Times in seconds, memory in MB (10^6 bytes)."""

    walls: tuple[float, ...]
    cpus: tuple[float, ...]
    peak_mb: float
    output: str

    @property
    def least(self) -> float:
        """The shortest wall time: what the command needs where nothing disturbs it."""
        return min(self.walls)

    @property
    def median(self) -> float:
        """The median wall time: what a person sees on this machine at this moment."""
        return statistics.median(self.walls)

    def how(self) -> str:
        """Say the other figures in short."""
        cpu = min(self.cpus)
        return f"median {self.median:.3f}, CPU {cpu:.3f} s, {len(self.walls)} runs"


def sample(
    argv: Sequence[str], cwd: Path, *, times: int = TIMES, warm: int = 1, extra: Mapping[str, str] | None = None
) -> Sample:
    """Run a command ``times`` times after ``warm`` runs that do not count; raise `BenchmarkError` if one fails."""
    with scratch() as folder:
        output = folder / "out"
        command = [sys.executable, "-I", "-S", str(_LAUNCHER), str(times + warm), str(output), *argv]
        done = subprocess.run(command, cwd=cwd, env=environment(extra), capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchmarkError(f"{' '.join(argv)} cannot be started: {done.stderr}")
        runs: list[list[float]] = json.loads(done.stdout)
        text = output.read_text(encoding="utf-8")
        if wrong := [int(run[0]) for run in runs if run[0]]:
            said = (folder / "out.stderr").read_text(encoding="utf-8")
            raise BenchmarkError(f"{' '.join(argv)} ended with {wrong[0]}: {said or text}")
    return Sample(
        walls=tuple(run[1] for run in runs[warm:]),
        cpus=tuple(run[2] for run in runs[warm:]),
        peak_mb=max(run[3] for run in runs) * 1024 / 1e6,
        output=text,
    )


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of everything measured: nothing of ours, git's, Python's or a vendor's in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**kept, "LC_ALL": "C.UTF-8", **(extra or {})}


def script() -> str:
    """Return the installed console script; raise `BenchmarkError` where the package is not installed."""
    beside = Path(sys.executable).with_name("walkaway")
    found = str(beside) if beside.exists() else shutil.which("walkaway")
    if found is None:
        raise BenchmarkError("The command walkaway is not installed beside this Python: pip install -e .")
    return found


def walkaway_do(cwd: Path, *args: str, extra: Mapping[str, str] | None = None) -> str:
    """Run a command of walkaway that is not measured; return what it printed."""
    done = subprocess.run(
        [script(), *args], cwd=cwd, env=environment(extra), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchmarkError(f"walkaway {' '.join(args)} ended with {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout


def compiled() -> None:
    """Compile walkaway and what is installed beside it: without .pyc an import takes 2.5 to 8 times as long."""
    places = {Path(walkaway.__file__).parent, *(Path(path) for path in sys.path if path.endswith("site-packages"))}
    for place in places:
        compileall.compile_dir(str(place), quiet=2, workers=0)


def machine() -> str:
    """Say what was measured on, and whether other work was disturbing it."""
    cpus, load = os.cpu_count() or 1, os.getloadavg()[0]
    busy = "; BUSY: look at the ratios, not at the figures" if load > 1.5 * cpus else ""
    return f"{cpus} CPUs, {platform.system()}, Python {platform.python_version()}, load average {load:.1f}{busy}"


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="walkaway-bench-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


@contextmanager
def project(extra: Mapping[str, str] | None = None) -> Iterator[Path]:
    """Give a fresh repository with one commit, and walkaway initialised in it with the variables ``extra``."""
    with scratch() as folder:
        root = folder / "project"
        root.mkdir()
        for args in (
            ("init", "-q", "-b", "main"),
            ("config", "user.name", "Benchmark"),
            ("config", "user.email", "benchmark@localhost"),
            ("commit", "-q", "--allow-empty", "-m", "Begin"),
        ):
            subprocess.run(["git", *args], cwd=root, env=environment(), check=True, capture_output=True)
        walkaway_do(root, "init", extra=extra)
        yield root


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that ``percent`` of all are not above."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
