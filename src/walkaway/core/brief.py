"""What an agent is given to do a unit, and what comes back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from walkaway.core.budget import TOKENS_PER_USD
from walkaway.core.grant import Grant


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one conversation. Money in USD, time in seconds; None means no bound of that kind."""

    requests: int = 200
    usd: float | None = None
    tokens_per_usd: int = TOKENS_PER_USD
    """What a model of unknown price is taken to cost, so that ``usd`` holds for it as it does in the books."""
    tokens: int | None = None
    idle_s: float = 300.0
    total_s: float = 3600.0
    wait_s: float = 60.0
    """Longest wait for an overloaded provider inside the conversation; a longer one ends the dispatch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """All that an agent knows when it starts: no memory, no other source."""

    unit: str
    attempt: int
    system: str
    prompt: str
    grant: Grant
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """What one request to the model used; ``usd`` is None where the price is unknown."""

    model: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a conversation ended well: the accepted report as JSON text, and the transcript's path."""

    report: str
    transcript: str
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an agent is told at once of what it asked or saved: the answer, or why it was ``refused``."""

    text: str
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SideTool:
    """What an agent may save or look up while it works; ``call`` takes arguments as JSON text, from any thread.

    What is saved is true once the report is accepted; where it never is, nothing was saved.
    """

    name: str
    description: str
    schema: str
    call: Callable[[str], Told]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where an agent hands in its report: the JSON schema of it, and the judge of its form.

    ``submit`` takes the report as JSON text and returns "" when it is accepted, else what is wrong with it, in
    words for the model. It may be called again after a refusal; after an acceptance the conversation ends.
    """

    schema: str
    submit: Callable[[str], str]
    tools: tuple[SideTool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an agent asks a person. ``gate``: the gate that it asks, whose answers are fixed; "" where it asks none."""

    text: str
    options: tuple[str, ...] = ()
    gate: str = ""


def _nobody(_: Asked) -> Told:
    return Told(text="Nobody can be asked here. Assume what is most reasonable and write it into your report.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """The engine's hand on a running conversation; every member may be called from any thread.

    ``gate`` is called before each model call and each tool call: it returns when going on is allowed, waits while
    the lease is in doubt, and raises `Cancelled` when the work has to end. ``spent`` is called once per answered
    model request, as soon as its usage is known. ``saw`` receives progress: a kind (``text``, ``tool``, ``wait``)
    and one line of text. ``heard`` returns, once, what people said to the agent since it was last asked.

    ``asks`` puts a question on record: it returns what the agent is told of it at once, and raises `Unanswered` where
    the unit has to wait for a person. ``pending`` returns the gate that waits for its answer, "" where none does: while
    one waits, no call is carried out but the one that asks it, the report included.
    """

    gate: Callable[[], None]
    spent: Callable[[ModelCall], None]
    saw: Callable[[str, str], None]
    heard: Callable[[], Sequence[str]] = lambda: ()
    asks: Callable[[Asked], Told] = _nobody
    pending: Callable[[], str] = lambda: ""
