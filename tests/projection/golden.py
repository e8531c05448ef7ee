"""Print the projections of one history into the folder ``golden``: ``python -m tests.projection.golden``."""

from pathlib import Path

from tests.surfaces import stories
from walkaway.core import events as e
from walkaway.core.derive import derive
from walkaway.core.ids import slice_id, task_id
from walkaway.core.model import Snapshot
from walkaway.projection import render, render_state
from walkaway.units import UNITS

FOLDER = Path(__file__).parent / "golden"
S01, S02 = slice_id(stories.M, 1), slice_id(stories.M, 2)
SPEC = "# Ledger export\n\nOne file a month, please.\n"


def half() -> Snapshot:
    """Two slices; the first is done, the second begun, and a question waits."""
    facts: list[e.Event] = [
        *stories.created(), *stories.planned(), *stories.sliced(S01, tasks=1),
        *stories.task_done(1, task_id(S01, 1)), e.SliceDone(slice=S01, summary="The columns exist."),
        *stories.sliced(S02), stories.question(),
    ]  # fmt: skip
    return stories.told(facts, rev=17)


def done() -> Snapshot:
    return stories.told(stories.whole(), rev=40)


def files(s: Snapshot) -> dict[str, str]:
    printed = render(s, {stories.SPEC: SPEC})
    return {**printed, **render_state(stories.overview(s), s, derive(s, UNITS))}


def expected(name: str) -> dict[str, str]:
    folder = FOLDER / name
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.md")}


if __name__ == "__main__":
    for name, s in (("half", half()), ("done", done())):
        for path, text in files(s).items():
            target = FOLDER / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
