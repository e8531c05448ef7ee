"""Identifiers: what a milestone, slice, task and unit are called, everywhere.

Rule: an identifier is its full path (``M001``, ``M001/S01``, ``M001/S01/T01``), so that none is ever
ambiguous outside its parent. The forms are those of the original (workflow §1.2).
"""

import re
from dataclasses import dataclass
from typing import NewType

from walkaway.core.errors import Usage

ProjectId = NewType("ProjectId", str)
MilestoneId = NewType("MilestoneId", str)
SliceId = NewType("SliceId", str)
TaskId = NewType("TaskId", str)
DispatchId = NewType("DispatchId", str)
WorkerId = NewType("WorkerId", str)
Scope = NewType("Scope", str)
Sha = NewType("Sha", str)
TextHash = NewType("TextHash", str)

PROJECT_SCOPE = Scope("*")
NO_TEXT = TextHash("")
NO_SHA = Sha("")

_MILESTONE = re.compile(r"M\d{3,}(-[a-z0-9]{6})?")
_SLICE = re.compile(r"S\d{2,}")
_TASK = re.compile(r"T\d{2,}")
_FORMS = (_MILESTONE, _SLICE, _TASK)


@dataclass(frozen=True, slots=True, order=True)
class UnitKey:
    """One piece of work: the kind of unit and what it is about."""

    kind: str
    target: str

    def __str__(self) -> str:
        """Print as in briefs, journals and playback scripts: ``execute-task M001/S01/T01``."""
        return f"{self.kind} {self.target}"


def parse_unit(text: str) -> UnitKey:
    """Read ``kind target``; raise `Usage` where ``text`` is not a unit key."""
    kind, _, target = text.partition(" ")
    if not kind or not is_target(target):
        raise Usage(f"'{text}' is not a unit: write its kind and target, as in 'execute-task M001/S01/T01'")
    return UnitKey(kind, target)


def is_target(text: str) -> bool:
    """Whether ``text`` is a well-formed milestone, slice or task identifier."""
    parts = text.split("/")
    return len(parts) <= len(_FORMS) and all(form.fullmatch(part) for form, part in zip(_FORMS, parts, strict=False))


def milestone_of(target: str) -> MilestoneId:
    """Return the milestone that ``target`` belongs to, or is."""
    return MilestoneId(target.split("/", 1)[0])


def slice_of(task: TaskId) -> SliceId:
    """Return the slice that ``task`` belongs to."""
    return SliceId(task.rsplit("/", 1)[0])


def natural_order(identifier: str) -> tuple[int, str]:
    """Return the sorting key of an identifier among its siblings: ``S99`` before ``S100``."""
    return len(identifier), identifier


def short(target: str) -> str:
    """Return the last part of an identifier: ``T01`` of ``M001/S01/T01``."""
    return target.rsplit("/", 1)[-1]


def milestone_id(number: int) -> MilestoneId:
    """Return the ``number``-th milestone's identifier, three digits at least."""
    return MilestoneId(f"M{number:03}")


def milestone_number(milestone: MilestoneId) -> int:
    """Return the number in a milestone identifier, its sorting key."""
    return int(milestone[1:].split("-", 1)[0])


def slice_id(milestone: MilestoneId, number: int) -> SliceId:
    """Return the ``number``-th slice of ``milestone``."""
    return SliceId(f"{milestone}/S{number:02}")


def task_id(slice_: SliceId, number: int) -> TaskId:
    """Return the ``number``-th task of ``slice_``."""
    return TaskId(f"{slice_}/T{number:02}")
