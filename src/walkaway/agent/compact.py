"""Make a long conversation fit: leave the oldest turns out, and say so.

The first user message stays byte for byte. After it comes a note with one line for each call that was left out and
the line ``Step: k``, k being the number of the model's replies left out. No model is asked, and the same conversation
always gives the same result. It cuts deep and seldom: each cut throws away the provider's cache of the prefix.
"""

from collections.abc import Sequence
from dataclasses import replace

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from walkaway.agent.limits import tokens_of
from walkaway.agent.tool import clip

_PART_BYTES = 30
_MOST_NOTED = 60
_LONGEST_NOTE = 120
_KEPT_TURN = 2
"""The last reply and the answers to its calls are never left out."""


class Compactor:
    """Remembers how much of one conversation was left out; the conversation itself is not changed."""

    def __init__(self, room_tokens: int) -> None:
        """Keep every request, estimated, within ``room_tokens``."""
        self._room = room_tokens
        self._from = 1
        self._sizes: list[int] = []

    def fit(self, messages: Sequence[ModelMessage]) -> list[ModelMessage]:
        """Return what to send: all of it, or a shortened conversation where all would be too long.

        ``messages`` must be those of the last call with more at the end, requests and replies in turn.
        """
        if self.tokens(messages) > self._room:
            self._leave_out(messages, self._room // 2)
        return self._view(messages)

    def tokens(self, messages: Sequence[ModelMessage]) -> int:
        """Return the estimated tokens of what `fit` would send as it stands."""
        self._sizes += [size_of(message) for message in messages[len(self._sizes) :]]
        note = self._note(messages) if self._from > 1 else ""
        return tokens_of(self._sizes[0] + len(note.encode()) + sum(self._sizes[self._from :]))

    def shrink(self, messages: Sequence[ModelMessage]) -> bool:
        """Leave out half of what is sent now, whatever its size; False where nothing is left to leave out."""
        before = self._from
        self._leave_out(messages, self.tokens(messages) // 2)
        return self._from > before

    def _leave_out(self, messages: Sequence[ModelMessage], goal: int) -> None:
        while self._from + _KEPT_TURN < len(messages) and self.tokens(messages) > goal:
            self._from += _KEPT_TURN

    def _view(self, messages: Sequence[ModelMessage]) -> list[ModelMessage]:
        first = messages[0]
        if self._from == 1 or not isinstance(first, ModelRequest):
            return list(messages)
        note = UserPromptPart(self._note(messages))
        return [replace(first, parts=[*first.parts, note]), *messages[self._from :]]

    def _note(self, messages: Sequence[ModelMessage]) -> str:
        gone = messages[1 : self._from]
        calls = [line for message in gone for line in _lines(message)]
        left = f"({len(calls) - _MOST_NOTED} earlier calls)\n" if len(calls) > _MOST_NOTED else ""
        replies = sum(isinstance(message, ModelResponse) for message in gone)
        return (
            "[The first part of this conversation was left out to make room; its effects stand. Look again at what you "
            f"need to know. You made these calls:]\n{left}" + "\n".join(calls[-_MOST_NOTED:]) + f"\nStep: {replies}"
        )


def _lines(message: ModelMessage) -> list[str]:
    """Return a line for each call of a reply."""
    calls = [part for part in message.parts if isinstance(part, ToolCallPart)]
    return [clip(f"- {call.tool_name} {call.args_as_json_str()}", _LONGEST_NOTE) for call in calls]


def size_of(message: ModelMessage) -> int:
    """Return about how many bytes a message takes on the wire."""
    return sum(_PART_BYTES + len(_text(part).encode(errors="replace")) for part in message.parts)


def _text(part: object) -> str:
    match part:
        case ToolReturnPart():
            return part.model_response_str()
        case ToolCallPart():
            return part.tool_name + part.args_as_json_str()
        case UserPromptPart() | TextPart() | ThinkingPart():
            return part.content if isinstance(part.content, str) else str(part.content)
        case _:
            return str(part)
