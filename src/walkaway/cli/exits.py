"""Exit codes: how each end of a run, and each error, is told to the process that started us.

Rule: this is the only table of exit codes. It imports nothing but the errors, so that `query` can use it.

====  =========================================================================
0     complete; also one unit done (`next`) and as many as asked for (`limit`)
1     internal error: a defect of walkaway; the traceback was kept
2     usage: a word, file or setting is not what it must be
10    blocked: a person has to decide or mend something
11    cancelled or paused by a person or a signal
12    budget: the money or tokens allowed are spent
13    stuck: the agent made no progress
14    waiting: the provider does not answer now, and the run was told not to wait
15    time limit
====  =========================================================================
"""

from collections.abc import Mapping
from dataclasses import dataclass

from walkaway.core.errors import WalkawayError


@dataclass(frozen=True, slots=True)
class Exit:
    """The word in the result line and the number for the process."""

    status: str
    code: int


OF_STATUS: Mapping[str, int] = {
    "complete": 0,
    "unit_done": 0,
    "limit": 0,
    "error": 1,
    "usage": 2,
    "blocked": 10,
    "cancelled": 11,
    "paused": 11,
    "budget": 12,
    "stuck": 13,
    "waiting": 14,
    "time_limit": 15,
}

OF_ERROR: Mapping[str, str] = {
    "internal": "error",
    "illegal-transition": "error",
    "refused": "usage",
    "usage": "usage",
    "newer-schema": "blocked",
    "superseded": "blocked",
    "lease-lost": "blocked",
    "stale-snapshot": "blocked",
    "held": "paused",
    "dispatch-over": "blocked",
    "unavailable": "blocked",
    "store-unavailable": "blocked",
    "provider-refused": "blocked",
    "git-failed": "blocked",
    "hook-refused": "blocked",
    "outside-changed": "blocked",
    "conflict": "blocked",
    "ready-to-integrate": "blocked",
    "cannot-run": "blocked",
    "exhausted": "blocked",
    "limit-reached": "blocked",
    "cancelled": "cancelled",
    "unanswered": "blocked",
    "budget-spent": "budget",
    "agent-stuck": "stuck",
    "provider-down": "waiting",
}

INTERNAL = Exit("error", 1)
USAGE = Exit("usage", 2)
CANCELLED = Exit("cancelled", 11)


def of_status(status: str) -> Exit:
    """Return the exit of a run that ended so."""
    return Exit(status, OF_STATUS[status])


def of_error(error: WalkawayError) -> Exit:
    """Return the exit of a command that failed so."""
    return of_status(OF_ERROR[error.code])
