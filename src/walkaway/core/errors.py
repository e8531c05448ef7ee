"""Every error that walkaway raises on purpose, sorted by what the caller should do.

::

    WalkawayError
    ├── Refused              the request is wrong: change it
    │   ├── Usage            a word, file or setting is not what it must be        exit 2
    │   ├── IllegalTransition a fact that cannot follow from the state
    │   └── NewerSchema      the database was written by a newer walkaway
    ├── Superseded           someone moved first: read again
    │   ├── LeaseLost        another worker holds the milestone, or nobody does
    │   ├── StaleSnapshot    the state moved since it was read
    │   ├── Held             a person paused or stopped the work
    │   └── DispatchOver     the dispatch was ended by someone else
    ├── Unavailable          the world is down: wait, or mend it
    │   ├── StoreUnavailable the database cannot be reached, read or written
    │   ├── ProviderDown     the model's provider does not answer now
    │   ├── ProviderRefused  the provider will not answer until a person mends something
    │   ├── GitFailed        git refused or is broken
    │   └── CannotRun        a program or a set-up command that is needed is missing or broken
    ├── Exhausted            a limit was reached: ask a person
    │   ├── BudgetSpent      money or tokens
    │   └── LimitReached     turns or time of one unit
    └── Cancelled            a person, a signal or a lost lease ended the work
        └── Unanswered       a person has to answer what the agent asked

A message says what happened, to what, and what to do next, in one or two sentences. ``code`` is stable and
documented; surfaces map it to an exit code, an HTTP status or an MCP error in one table each.
"""


class WalkawayError(Exception):
    """Base of all errors raised on purpose; its text is written for people."""

    code = "internal"


class Refused(WalkawayError):
    """The request is wrong; repeating it unchanged cannot help."""

    code = "refused"


class Usage(Refused):
    """A command, file or setting is not what it must be."""

    code = "usage"


class IllegalTransition(Refused):
    """A fact was offered that cannot follow from the present state."""

    code = "illegal-transition"


class NewerSchema(Refused):
    """The database was written by a newer walkaway; it was left untouched."""

    code = "newer-schema"


class Superseded(WalkawayError):
    """Somebody moved first; read again and decide anew."""

    code = "superseded"


class LeaseLost(Superseded):
    """The caller no longer holds the lease that it writes under."""

    code = "lease-lost"


class StaleSnapshot(Superseded):
    """The state moved since the caller read it."""

    code = "stale-snapshot"


class Held(Superseded):
    """A person paused or stopped what was about to begin."""

    code = "held"


class DispatchOver(Superseded):
    """The dispatch was ended by someone else; its result is not taken."""

    code = "dispatch-over"


class Unavailable(WalkawayError):
    """Something outside is down; nothing is wrong with the request."""

    code = "unavailable"


class StoreUnavailable(Unavailable):
    """The database cannot be opened, read or written."""

    code = "store-unavailable"


class ProviderDown(Unavailable):
    """The model's provider does not answer now; ``retry_after`` seconds say when to ask again, if known."""

    code = "provider-down"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        """Keep the provider's own word on when to come back, in seconds."""
        super().__init__(message)
        self.retry_after = retry_after


class ProviderRefused(Unavailable):
    """The provider refuses until a person mends something: a key, a model name, a quota."""

    code = "provider-refused"


class GitFailed(Unavailable):
    """Git refused, or is missing or too old."""

    code = "git-failed"


class HookRefused(GitFailed):
    """The repository's own commit hook refused the work; the agent is told, like of a failed check."""

    code = "hook-refused"


class Conflict(GitFailed):
    """The work and the target changed the same lines; ``files`` names where."""

    code = "conflict"

    def __init__(self, message: str, *, files: tuple[str, ...] = ()) -> None:
        """Keep the paths, relative to the repository."""
        super().__init__(message)
        self.files = files


class OutsideChanged(GitFailed):
    """A command of the agent touched the repository or the user's files outside its own checkout and branch."""

    code = "outside-changed"


class NotPublishable(GitFailed):
    """The target cannot be moved without touching a file that is the user's; ``files`` names them."""

    code = "ready-to-integrate"

    def __init__(self, message: str, *, files: tuple[str, ...] = ()) -> None:
        """Keep the paths that are in the way, relative to the checkout."""
        super().__init__(message)
        self.files = files


class CannotRun(Unavailable):
    """A program or set-up command that is needed is missing or broken."""

    code = "cannot-run"


class Exhausted(WalkawayError):
    """A limit was reached; only a person may raise it."""

    code = "exhausted"


class BudgetSpent(Exhausted):
    """The money or tokens allowed are spent."""

    code = "budget-spent"


class LimitReached(Exhausted):
    """One unit used up its turns, its tokens or its time."""

    code = "limit-reached"


class AgentStuck(Exhausted):
    """The agent repeats itself and makes no progress."""

    code = "agent-stuck"


class Cancelled(WalkawayError):
    """A person, a signal or a lost lease ended the work; nothing it did is taken."""

    code = "cancelled"


class Unanswered(Cancelled):
    """An agent asked a person, and its unit waits for the answer; no attempt is consumed."""

    code = "unanswered"
