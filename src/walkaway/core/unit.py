"""What a kind of work is: one frozen value per unit type, collected in ``walkaway.units.UNITS``."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from walkaway.core.grant import Grant
from walkaway.core.ids import TextHash
from walkaway.core.model import Dispatch, Snapshot

if TYPE_CHECKING:  # deciding never constructs an event, so `query` never pays for their classes
    from walkaway.core.events import Event

R = TypeVar("R")


class Judged(StrEnum):
    """Which tree the project's checks have to pass on before a report of this kind is accepted."""

    NOTHING = "nothing"
    WORK = "work"
    INTEGRATION = "integration"


class Side(StrEnum):
    """What an agent may save or look up while it works."""

    DECIDE = "decide"
    REQUIRE = "require"
    REMEMBER = "remember"
    RECALL = "recall"


LEARNING = (Side.REMEMBER, Side.RECALL)
DECIDING = (Side.DECIDE, *LEARNING)
PLANS = (Side.DECIDE, Side.REQUIRE, *LEARNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitType(Generic[R]):
    """A kind of work: when it is possible, what its agent is told, and what follows from its report.

    All functions are pure. ``targets`` yields what the unit can be done for now, best first. ``needs`` names the
    long texts that ``brief`` wants. ``brief`` returns the body of the prompt. ``check`` returns "" or what is wrong
    with a report, in words for the model. ``accept`` returns the facts that follow from an accepted report; its
    dispatch's ``commit_sha`` is the sealed work. ``scripted``: whether it takes part in a workflow that a person wrote.
    ``verify`` returns the command that judges this target alone, beside the project's checks, or "";
    without a report, what it will be. ``changes``: whether such a report means that files were changed.
    ``side``: what its agent may save and look up beside its report.
    """

    kind: str
    purpose: str
    instructions: str
    grant: Grant
    report: type[R]
    judged: Judged
    targets: Callable[[Snapshot], Iterable[str]]
    brief: Callable[[Snapshot, str, Mapping[TextHash, str]], str]
    check: Callable[[Snapshot, str, R], str]
    accept: "Callable[[Snapshot, str, R, Accepting], list[Event]]"
    needs: Callable[[Snapshot, str], tuple[TextHash, ...]] = lambda _s, _t: ()
    scripted: bool = False
    verify: Callable[[Snapshot, str, R | None], str] = lambda _s, _t, _r: ""
    changes: Callable[[Snapshot, str, R], bool] = lambda _s, _t, _r: False
    side: tuple[Side, ...] = LEARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepting:
    """What `UnitType.accept` may know beside the report: the dispatch and whether a check passed."""

    dispatch: Dispatch
    verified: bool


Units = Sequence[UnitType[object]]


def find(units: Units, kind: str) -> UnitType[object]:
    """Return the unit type called ``kind``; raise `LookupError` if this installation has none."""
    for unit in units:
        if unit.kind == kind:
            return unit
    raise LookupError(f"This walkaway knows no unit type '{kind}'.")
