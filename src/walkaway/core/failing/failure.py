"""Why a run did not end well, and what follows: whether it counts, when it may run again, when a person is asked.

Rule: every error has exactly one kind and every kind one rule, here and nowhere else. The words of an error decide
nothing: they are for people.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from walkaway.core import errors
from walkaway.core.model import FailureKind


class When(StrEnum):
    """When a unit may run again."""

    AT_ONCE = "at once"
    AT_DEADLINE = "at its deadline"  # `Dispatch.next_run_at`, which is stored: a restart shortens no wait
    MENDED = "once mended"  # a person mends the world; starting a run again looks once more


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """The question that follows after ``most`` such ends in a row; None: after as many as the policy has attempts.

    Judged work is counted through, whatever ended between: see `retry`. ``text`` may name {key}, {count} and {why};
    ``tried``: it goes on with what was tried.
    """

    reason: str
    text: str
    remedies: tuple[str, ...]
    most: int | None = None
    tried: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What follows from one kind of failure. ``attempt``: the work was judged, so the run consumes an attempt.

    ``ends_run``: the error goes on to whoever runs the loop, because no other unit would fare better now.
    """

    attempt: bool = False
    when: When = When.AT_ONCE
    ends_run: bool = False
    asks: Asks | None = None


STUCK_TO_BLOCK = 2  # the first time, the next attempt diagnoses
CRASHES_TO_BLOCK = 3
ERRORS_TO_BLOCK = 2

_REFUSED = Rule(
    attempt=True,
    asks=Asks(
        reason="attempts",
        text="{key} was refused {count} times. The last time: {why}",
        remedies=("answer retry", "change the code, the specification or checks.commands, then answer retry"),
        tried=True,
    ),
)

_MEND = ("mend what the message names, then run walkaway auto again",)

RULES: Mapping[FailureKind, Rule] = {
    FailureKind.VERIFICATION: _REFUSED,
    FailureKind.HOOK: _REFUSED,
    FailureKind.REPORT: _REFUSED,
    FailureKind.LIMIT: _REFUSED,
    FailureKind.LEASE_LOST: Rule(
        ends_run=True,
        asks=Asks(
            reason="kills-its-worker",
            text="{key} ended its worker {count} times in a row without a report.",
            remedies=("look at the transcript of its last run, mend the cause, then answer retry",),
            most=CRASHES_TO_BLOCK,
        ),
    ),
    FailureKind.STUCK: Rule(
        asks=Asks(
            reason="stuck",
            text="{key} makes no progress: {why}",
            remedies=("make the task smaller or clearer, then answer retry",),
            most=STUCK_TO_BLOCK,  # times that `stuck` sees no progress, in whatever way
            tried=True,
        ),
    ),
    FailureKind.ENVIRONMENT: Rule(
        when=When.MENDED,
        asks=Asks(
            reason="environment",
            text="{key} cannot be done here: {why}",
            remedies=("install what is missing or correct setup.commands, then run walkaway auto again",),
            most=1,
        ),
    ),
    FailureKind.PROVIDER_REFUSED: Rule(
        when=When.MENDED,
        asks=Asks(reason="provider-refused", text="{key} could not run: {why}", remedies=_MEND, most=1),
    ),
    FailureKind.GIT: Rule(
        when=When.MENDED,
        asks=Asks(reason="git", text="{key} could not run: {why}", remedies=_MEND, most=1),
    ),
    FailureKind.POLICY: Rule(
        when=When.MENDED,
        asks=Asks(
            reason="policy",
            text="{key} was ended for what its agent did outside its own checkout: {why}",
            remedies=("look at what the message names and put it right, then run walkaway auto again",),
            most=1,
        ),
    ),
    FailureKind.INTERNAL: Rule(
        when=When.MENDED,
        ends_run=True,
        asks=Asks(
            reason="internal",
            text="{key} was ended {count} times in a row by an error that is not of its making: {why}",
            remedies=("mend what the message names or upgrade walkaway, then run walkaway auto again",),
            most=ERRORS_TO_BLOCK,
        ),
    ),
    FailureKind.PROVIDER: Rule(when=When.AT_DEADLINE),
    FailureKind.CONFLICT: Rule(),  # a unit of its own brings the two together: `engine/landing/conflict.py`
    FailureKind.CANCELLED: Rule(ends_run=True),
    FailureKind.BUDGET: Rule(ends_run=True),  # what is spent keeps any unit from starting: see `derive`
}
"""In the order in which they are asked about, where more than one would be."""

JUDGED = frozenset(kind for kind, rule in RULES.items() if rule.attempt)
"""Failures that consume an attempt: the work was done and found wanting."""

COUNTED = JUDGED | {FailureKind.STUCK}
"""Failures in which the agent had its say: `stuck` looks at these alone."""

MENDED = frozenset(rule.asks.reason for rule in RULES.values() if rule.when is When.MENDED and rule.asks)
"""Reasons of questions that starting a run again answers."""

KIND_OF: Mapping[type[errors.WalkawayError], FailureKind] = {
    errors.WalkawayError: FailureKind.INTERNAL,
    errors.Refused: FailureKind.INTERNAL,
    errors.Usage: FailureKind.INTERNAL,
    errors.IllegalTransition: FailureKind.INTERNAL,
    errors.NewerSchema: FailureKind.INTERNAL,
    errors.Superseded: FailureKind.CANCELLED,
    errors.LeaseLost: FailureKind.CANCELLED,  # by a living worker; what an heir settles is a `LEASE_LOST`
    errors.StaleSnapshot: FailureKind.CANCELLED,
    errors.Held: FailureKind.CANCELLED,
    errors.DispatchOver: FailureKind.CANCELLED,
    errors.Unavailable: FailureKind.INTERNAL,
    errors.StoreUnavailable: FailureKind.CANCELLED,  # the next run finds the unit where it was
    errors.ProviderDown: FailureKind.PROVIDER,
    errors.ProviderRefused: FailureKind.PROVIDER_REFUSED,
    errors.GitFailed: FailureKind.GIT,
    errors.HookRefused: FailureKind.HOOK,
    errors.Conflict: FailureKind.GIT,
    errors.OutsideChanged: FailureKind.POLICY,
    errors.NotPublishable: FailureKind.GIT,
    errors.CannotRun: FailureKind.ENVIRONMENT,
    errors.Exhausted: FailureKind.INTERNAL,
    errors.BudgetSpent: FailureKind.BUDGET,
    errors.LimitReached: FailureKind.LIMIT,
    errors.AgentStuck: FailureKind.STUCK,
    errors.Cancelled: FailureKind.CANCELLED,
    errors.Unanswered: FailureKind.CANCELLED,
}


def kind_of(error: errors.WalkawayError) -> FailureKind:
    """Return the kind of a failure: that of its class, or of the nearest class above that has one."""
    return next(KIND_OF[cls] for cls in type(error).__mro__ if cls in KIND_OF)
