"""What the three wire protocols share: the values that go in and out, and how foreign JSON is read."""

import json
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from walkaway.playback.conversation import Turn
from walkaway.playback.script import Place, Reply

Json = Mapping[str, object]

_BYTES_PER_TOKEN = 4
_SHORTEST_PIECE, _MOST_PIECES = 16, 32
_TEXT_PARTS = ("text", "input_text", "output_text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply on its way out: what is said, under which name, at what price.

    ``key`` is the same for the same place in the same conversation and differs within a conversation; every
    identifier sent is made from it.
    """

    reply: Reply
    key: str
    model: str
    created: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    wants_usage: bool

    def call_id(self, index: int) -> str:
        """Name the reply's ``index``-th tool call."""
        return f"call_{self.key}_{index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A reply as server-sent events; a stream without its ``finish`` was cut."""

    body: tuple[bytes, ...]
    finish: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One wire protocol: how a request is read and how replies and errors are written."""

    turns: Callable[[Json], Sequence[Turn]]
    whole: Callable[[Answer], Json]
    stream: Callable[[Answer], Stream]
    error: Callable[[int, str], Json]


def answer_to(request: Json, size: int, place: Place, reply: Reply, created: int) -> Answer:
    """Prepare ``reply`` for a request of ``size`` bytes; tokens that the script leaves out are measured."""
    said = reply.text + reply.thinking + "".join(call.name + call.arguments for call in reply.calls)
    usage, measured = reply.usage, max(1, _tokens(len(said.encode())))
    return Answer(
        reply=reply,
        key=f"{zlib.crc32(f'{place.unit} {place.attempt}'.encode()):08x}_{place.step}",
        model=str(request.get("model") or "playback"),
        created=created,
        input_tokens=max(_tokens(size), usage.cached) if usage.input is None else usage.input,
        output_tokens=measured if usage.output is None else usage.output,
        cached_tokens=usage.cached,
        wants_usage=bool(members(request.get("stream_options")).get("include_usage")),
    )


def members(value: object) -> dict[str, object]:
    """Return a JSON object's members; none where ``value`` is not an object."""
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}


def elements(value: object) -> list[object]:
    """Return a JSON array's elements; none where ``value`` is not an array."""
    return list(value) if isinstance(value, list) else []


def text_of(content: object) -> str:
    """Return the text of a message's content, a string or a list of parts; each part starts a new line."""
    if isinstance(content, str):
        return content
    parts = [members(part) for part in elements(content)]
    return "\n".join(str(part.get("text", "")) for part in parts if part.get("type") in _TEXT_PARTS)


def pieces(text: str) -> list[str]:
    """Split ``text`` as a model streams it, into a bounded number of pieces; none for an empty text."""
    size = max(_SHORTEST_PIECE, math.ceil(len(text) / _MOST_PIECES))
    return [text[start : start + size] for start in range(0, len(text), size)]


def encode(value: Json) -> bytes:
    """Return ``value`` as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def named_event(data: Json) -> bytes:
    """Return one server-sent event, named after its ``type``."""
    return b"event: " + str(data["type"]).encode() + b"\ndata: " + encode(data) + b"\n\n"


def _tokens(size: int) -> int:
    return math.ceil(size / _BYTES_PER_TOKEN)
