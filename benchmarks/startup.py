"""What it costs to start a command that only looks."""

from pathlib import Path

from benchmarks.measure import BARE, project, sample, script, walkaway_do
from benchmarks.table import Baseline, Row

COMMANDS = (("--version",), ("--help",), ("status",))


def measure() -> list[Row]:
    """Return one row per command; they have no limit of their own and show what was imported too much."""
    with project() as root:
        walkaway_do(root, "new", "--title", "Tiny", "--spec", str(_specification(root)))
        bare = sample(BARE, root)
        return [
            Row(
                name=f"walkaway {' '.join(args)}",
                value=seen.least,
                unit="s",
                baseline=Baseline(name="python -c pass", value=bare.least),
                how=f"{seen.peak_mb:.0f} MB, {seen.how()}",
            )
            for args in COMMANDS
            for seen in (sample([script(), *args], root),)
        ]


def _specification(root: Path) -> Path:
    path = root.parent / "specification.md"
    path.write_text("# Tiny\n", encoding="utf-8")
    return path
