"""The part of a brief that makes an attempt a diagnosis: all that was tried, side by side, and where to look first."""

import json
from collections.abc import Mapping

from walkaway.core.derive import Start
from walkaway.core.failing.failure import COUNTED, JUDGED
from walkaway.core.ids import TextHash
from walkaway.core.model import Dispatch, Snapshot
from walkaway.core.retry import counted
from walkaway.units import texts as cut

ATTEMPTS_MOST = 4
"""Attempts that are told, the last ones."""
OUTPUT_MOST = 1_200
WHY_MOST = 600
FILES_MOST = 20
FILE_MOST = 200

FIRST = """\
The attempts so far did not help, and one more of the same kind will not. This attempt diagnoses: change nothing before
you can name the cause. Then mend the cause, not what it shows.

Look at first:
- what the attempts below have in common: which assumption do they share, and does it hold in the code?
- the last output, read in full, and the smallest command of your own that shows the same;
- whether what is asked for, or the check itself, is wrong. If so, say so in your report: do not work around it."""


def needs(s: Snapshot, start: Start) -> tuple[TextHash, ...]:
    """Return the hashes of the long texts that `section` wants."""
    if not start.diagnose:
        return ()
    return tuple(text for run in _runs(s, start) for text in (run.output, run.report) if text)


def section(s: Snapshot, start: Start, texts: Mapping[TextHash, str]) -> str:
    """Return what an attempt that diagnoses is told on top of all else."""
    parts = [f"## Diagnose first\n\n{cut.line(start.diagnose, WHY_MOST)}\n\n{FIRST}"]
    parts.extend(_told(run, texts, last=run.output == start.output) for run in _runs(s, start))
    return "\n\n".join(parts)


def _runs(s: Snapshot, start: Start) -> list[Dispatch]:
    return [run for run in counted(s, start.key) if run.failure in COUNTED][-ATTEMPTS_MOST:]


def _told(run: Dispatch, texts: Mapping[TextHash, str], *, last: bool) -> str:
    lines = [f"### {run.id}, attempt {run.attempt}: {run.failure}", cut.line(run.why, WHY_MOST)]
    if files := _files(texts.get(run.report, "")):
        lines.append("It says that it changed: " + ", ".join(f"`{path}`" for path in files))
    if run.commit_sha and run.failure in JUDGED:
        lines.append(f"Its work: `git diff {run.base_sha} {run.commit_sha}`")
    output = cut.tail(texts.get(run.output, ""), OUTPUT_MOST)
    if output and not last:  # the last one's stands whole where the refusal is told
        lines.append(f"```text\n{output}\n```")
    return "\n\n".join(lines)


def _files(report: str) -> list[str]:
    told = json.loads(report) if report else {}
    files = told.get("key_files", []) if isinstance(told, dict) else []
    return [cut.line(str(path), FILE_MOST) for path in files][:FILES_MOST]
