"""The user's own commands around a unit: what they are told, what they may answer, and what they may leave out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from walkaway.core.errors import Usage
from walkaway.core.ids import UnitKey
from walkaway.core.model import Snapshot
from walkaway.core.plan.profile import DISCUSS, STEPS

BEFORE, AFTER = "before", "after"
WORDS_MOST = 4_000
INSTRUCTIONS_MOST = 8_000
REASON_MOST = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One command; ``when`` is `BEFORE` or `AFTER`, and no ``units`` means all kinds of them."""

    name: str
    when: str
    units: tuple[str, ...]
    run: str

    def about(self, kind: str) -> bool:
        """Whether it is asked about units of this kind."""
        return kind in self.units or not self.units


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What a hook is told; of a unit that has not begun nothing after ``attempt``. ``usd`` is None where unknown."""

    when: str
    milestone: str
    key: UnitKey
    attempt: int
    status: str = ""
    why: str = ""
    commit: str = ""
    usd: float | None = None

    def as_dict(self) -> dict[str, object]:
        """Return it for programs."""
        told: dict[str, object] = {
            "v": 1,
            "event": self.when,
            "milestone": self.milestone,
            "unit": self.key.kind,
            "target": self.key.target,
            "attempt": self.attempt,
        }
        ended = {"status": self.status, "why": self.why, "commit": self.commit, "cost": {"usd": self.usd}}
        return told | ended if self.when == AFTER else told


@dataclass(frozen=True, slots=True, kw_only=True)
class Modify:
    """Words of the user's around a unit's instructions."""

    hook: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace:
    """The user's instructions instead of a unit's own; its tools and its report stay."""

    hook: str
    instructions: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """A unit is not to be done."""

    hook: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """No further unit may begin in this run."""

    hook: str
    reason: str


Advice = Modify | Replace | Skip | Stop

_FIELDS: Mapping[str, Mapping[str, Mapping[str, int]]] = {
    BEFORE: {
        "modify": {"before": WORDS_MOST, "after": WORDS_MOST},
        "replace": {"instructions": INSTRUCTIONS_MOST},
        "skip": {"reason": REASON_MOST},
    },
    AFTER: {"stop": {"reason": REASON_MOST}},
}
"""When -> what may be answered -> its words, and how many bytes of them."""


def advice(hook: Hook, told: object) -> Advice:
    """Return what a hook answered; raise `Usage` with what is wrong with it."""
    actions = _FIELDS[hook.when]
    if not isinstance(told, dict):
        raise Usage("It answers with one JSON object, or with nothing.")
    action = told.get("action")
    if not isinstance(action, str) or action not in actions:
        raise Usage(f"`action` is one of {', '.join(actions)}, not {action!r}.")
    fields = actions[action]
    if strange := sorted(str(key) for key in told.keys() - fields.keys() - {"action"}):
        raise Usage(f"`{action}` knows no `{strange[0]}`; it takes {', '.join(fields)}.")
    words = {name: _text(told, name, most) for name, most in fields.items()}
    match action:
        case "modify":
            if not any(words.values()):
                raise Usage("`modify` wants `before` or `after`.")
            return Modify(hook=hook.name, **words)
        case "replace":
            return Replace(hook=hook.name, **_all(words))
        case "skip":
            return Skip(hook=hook.name, **_all(words))
        case _:
            return Stop(hook=hook.name, **_all(words))


def _text(told: Mapping[object, object], name: str, most: int) -> str:
    value = told.get(name, "")
    if not isinstance(value, str):
        raise Usage(f"`{name}` is text.")
    if len(value.encode()) > most:
        raise Usage(f"`{name}` has {len(value.encode())} bytes; at most {most}.")
    return value.strip()


def _all(words: Mapping[str, str]) -> Mapping[str, str]:
    if empty := [name for name, word in words.items() if not word]:
        raise Usage(f"`{empty[0]}` is missing or empty.")
    return words


def instructions(own: str, said: Sequence[Advice]) -> str:
    """Return a unit's instructions as the hooks want them; of two that replace them the later one counts."""
    words = own.strip()
    before: list[str] = []
    after: list[str] = []
    for each in said:
        match each:
            case Replace(instructions=instead):
                words = instead
            case Modify():
                before += [f"The project's hook `{each.hook}` says: {each.before}"] if each.before else []
                after += [f"The project's hook `{each.hook}` says: {each.after}"] if each.after else []
            case _:
                pass
    return "\n\n".join([*before, words, *after])


def may_leave_out(s: Snapshot, key: UnitKey) -> bool:
    """Whether a milestone can do without a unit: a task, or a step that a profile may leave out.

    Slices that are not looked into at once are looked into one by one. What a gate shows has to be thought first.
    """
    if key.kind == DISCUSS and s.policy.gates:
        return False
    return key.kind in {"execute-task", "research-slices", *STEPS}
