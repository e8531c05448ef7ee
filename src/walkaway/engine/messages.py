"""Commit messages: written from the reports, with trailers that tie a commit to its unit, dispatch and fence."""

import json

from walkaway.core.ids import DispatchId, UnitKey, short
from walkaway.core.model import Lease, Snapshot
from walkaway.store.blobs import clean

SUBJECT_MOST = 100


def of_unit(s: Snapshot, key: UnitKey, report: str, *, dispatch: DispatchId, lease: Lease) -> str:
    """Return the message of a unit's own commit on its milestone's line."""
    title = _title(s, key)
    summary = _summary(report)
    body = f"{summary}\n\n" if summary else ""
    return f"{_subject(f'{key}: {title}')}\n\n{body}{trailers(key, dispatch, lease)}\n"


def of_integration(s: Snapshot, key: UnitKey, report: str, *, dispatch: DispatchId, lease: Lease) -> str:
    """Return the message of the one commit that a milestone becomes on the target."""
    summary = _summary(report)
    done = "\n".join(
        f"- {short(slice_.id)} {slice_.title}\n"
        + "\n".join(f"  - {short(t.id)} {t.summary or t.title}" for t in s.tasks_of(slice_.id))
        for slice_ in s.slices.values()
    )
    parts = [_subject(f"{s.milestone.title} ({s.milestone.id})"), summary, done, trailers(key, dispatch, lease)]
    return "\n\n".join(part for part in parts if part) + "\n"


def trailers(key: UnitKey, dispatch: DispatchId, lease: Lease) -> str:
    """Return the trailers (design §8, rule 5)."""
    return f"Walkaway-Unit: {key}\nWalkaway-Dispatch: {dispatch}\nWalkaway-Fence: {lease.epoch}.{lease.fencing_token}"


def _summary(report: str) -> str:
    """Return a report's summary as a commit message can hold it: git refuses NUL."""
    return clean(str(json.loads(report).get("summary", ""))).strip()


def _title(s: Snapshot, key: UnitKey) -> str:
    if task := s.tasks.get(key.target):
        return task.title
    if slice_ := s.slices.get(key.target):
        return slice_.title
    return s.milestone.title


def _subject(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SUBJECT_MOST else line[: SUBJECT_MOST - 1] + "…"
