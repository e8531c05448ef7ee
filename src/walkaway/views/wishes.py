"""What people threw in and what became of it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from walkaway.core.model import Note, Snapshot
from walkaway.core.plan import wish
from walkaway.views.query import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class WishShown:
    """One of them: a ``capture`` or an ``override``, what became of it, and why."""

    id: str
    kind: str
    text: str
    became: str
    why: str


def wishes(snapshots: Iterable[Snapshot]) -> tuple[WishShown, ...]:
    """Return all of them, by milestone, oldest first."""
    kinds = {wish.CAPTURE: wish.TRIAGE, wish.OVERRIDE: wish.REWRITE}
    return tuple(
        _shown(s, note, kinds[note.kind]) for s in snapshots for note in s.notes.values() if note.kind in kinds
    )


def _shown(s: Snapshot, note: Note, handled: str) -> WishShown:
    last = s.note(handled, note.id)
    became = (last.verdict or "written into the plans") if last else "waits for the next unit"
    if became.startswith(wish.ASKED):
        became = _answered(s, became.removeprefix(wish.ASKED))
    return WishShown(id=note.id, kind=note.kind, text=note.summary, became=became, why=last.summary if last else "")


def _answered(s: Snapshot, question: str) -> str:
    return {"": f"waits for your answer to {question}", wish.DO: "agreed, to be done", wish.LEAVE: "left"}[
        s.questions[question].answer
    ]


def wish_json(shown: WishShown) -> Json:
    """Return one of them for programs."""
    return {**asdict(shown)}
