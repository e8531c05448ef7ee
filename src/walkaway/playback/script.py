"""A playback script as frozen values, and which of its lines answers a request."""

from dataclasses import dataclass, field

ANY_TARGET = "*"


class ScriptError(ValueError):
    """A script is not what it must be; the text names the entry and the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One tool call of a reply; ``arguments`` is a JSON object as text, as it goes over the wire."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The tokens that a reply claims to have cost; ``None`` is measured from the bytes.

    ``input`` includes ``cached``, whatever the protocol's own way of counting.
    """

    input: int | None = None
    output: int | None = None
    cached: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One thing the model says.

    ``delay`` seconds pass before the first byte, ``hang`` seconds after a stream's first event, and after
    ``cut`` events a stream ends without its finish.
    """

    text: str = ""
    thinking: str = ""
    calls: tuple[Call, ...] = ()
    usage: Usage = Usage()
    delay: float = 0.0
    hang: float = 0.0
    cut: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An HTTP error that is answered ``times`` times before the reply that follows it."""

    status: int
    message: str
    retry_after: float | None = None
    times: int = 1
    delay: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in which conversation a request stands; ``unit`` is a kind and a target, as in a script."""

    unit: str | None
    attempt: int | None
    step: int
    prompt: str = field(default="", compare=False, repr=False)
    """The first message of the conversation."""

    def __str__(self) -> str:
        """Name the place as error messages do: ``unit execute-task M001/S01/T01, attempt 1, step 0``."""
        return f"unit {self.unit or 'none'}, attempt {self.attempt or 'none'}, step {self.step}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """All that is said to one unit: ``failures[k]`` come before ``replies[k]``, or after the last.

    ``when``: words that its prompt has to hold, so that a unit that is done again after something else has happened
    is told from the first time.
    """

    kind: str
    target: str
    attempt: int | None
    replies: tuple[Reply, ...]
    failures: tuple[tuple[Failure, ...], ...]
    when: str = ""

    def matches(self, place: Place) -> bool:
        """Whether this line is the answer to ``place``'s unit and attempt, at any step."""
        kind, _, target = (place.unit or "").partition(" ")
        meant = kind == self.kind and self.target in (ANY_TARGET, target) and self.attempt in (None, place.attempt)
        return meant and self.when in place.prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Every line of a playback script, in the order of the file."""

    lines: tuple[Line, ...]

    def line_for(self, place: Place) -> Line | None:
        """Return the first line that matches, or nothing."""
        return next((line for line in self.lines if line.matches(place)), None)
