"""The protocol of Anthropic's messages."""

import json
from collections.abc import Iterator

from walkaway.playback.conversation import Turn
from walkaway.playback.wire import (
    Answer,
    Dialect,
    Json,
    Stream,
    elements,
    members,
    named_event,
    pieces,
    text_of,
)

_SIGNATURE = "playback"
_ERROR_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_FIRST_SERVER_ERROR = 500


def _turns(request: Json) -> list[Turn]:
    system = [Turn("system", text_of(request["system"]))] if request.get("system") else []
    return [*system, *(_turn(members(message)) for message in elements(request.get("messages")))]


def _turn(message: Json) -> Turn:
    if message.get("role") == "assistant":
        return Turn("assistant")
    return Turn("system" if message.get("role") == "system" else "user", text_of(message.get("content")))


def _whole(answer: Answer) -> Json:
    return {**_opening(answer), "content": _content(answer), **_stop(answer), "usage": _usage(answer)}


def _content(answer: Answer) -> list[Json]:
    reply, content = answer.reply, list[Json]()
    if reply.thinking:
        content.append({"type": "thinking", "thinking": reply.thinking, "signature": _SIGNATURE})
    if reply.text:
        content.append({"type": "text", "text": reply.text})
    for index, call in enumerate(reply.calls):
        arguments: object = json.loads(call.arguments)
        content.append({"type": "tool_use", "id": answer.call_id(index), "name": call.name, "input": arguments})
    return content


def _stream(answer: Answer) -> Stream:
    usage = {**_usage(answer), "output_tokens": 1}
    start = {"type": "message_start", "message": {**_opening(answer), "usage": usage}}
    delta = {"type": "message_delta", "delta": _stop(answer), "usage": _usage(answer)}
    return Stream(
        body=(named_event(start), *map(named_event, _blocks(answer))),
        finish=(named_event(delta), named_event({"type": "message_stop"})),
    )


def _blocks(answer: Answer) -> Iterator[Json]:
    for index, block in enumerate(_content(answer)):
        empty, deltas = _unfold(block)
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}


def _unfold(block: Json) -> tuple[Json, list[Json]]:
    """Return a content block as it is when it starts, and the deltas that fill it."""
    match block["type"]:
        case "thinking":
            deltas = [_delta("thinking", "thinking", piece) for piece in pieces(str(block["thinking"]))]
            empty = {**block, "thinking": "", "signature": ""}
            return empty, [*deltas, _delta("signature", "signature", _SIGNATURE)]
        case "text":
            return {**block, "text": ""}, [_delta("text", "text", piece) for piece in pieces(str(block["text"]))]
        case _:
            arguments = json.dumps(block["input"], ensure_ascii=False)
            return {**block, "input": {}}, [_delta("input_json", "partial_json", piece) for piece in pieces(arguments)]


def _delta(kind: str, field: str, piece: str) -> Json:
    return {"type": f"{kind}_delta", field: piece}


def _opening(answer: Answer) -> Json:
    return {
        "id": f"msg_{answer.key}",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _stop(answer: Answer) -> Json:
    return {"stop_reason": "tool_use" if answer.reply.calls else "end_turn", "stop_sequence": None}


def _usage(answer: Answer) -> Json:
    """Return the tokens as this protocol counts them: those read from the cache are no input tokens."""
    return {
        "input_tokens": answer.input_tokens - answer.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": answer.cached_tokens,
        "output_tokens": answer.output_tokens,
    }


def _error(status: int, message: str) -> Json:
    other = "api_error" if status >= _FIRST_SERVER_ERROR else "invalid_request_error"
    return {"type": "error", "error": {"type": _ERROR_TYPES.get(status, other), "message": message}}


MESSAGES = Dialect(turns=_turns, whole=_whole, stream=_stream, error=_error)
