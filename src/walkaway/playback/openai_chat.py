"""The protocol of OpenAI's chat completions."""

from collections.abc import Iterator

from walkaway.playback.conversation import Role, Turn
from walkaway.playback.wire import Answer, Dialect, Json, Stream, elements, encode, members, pieces, text_of

_ROLES: dict[object, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
_DONE = b"data: [DONE]\n\n"
_ERROR_CODES = {401: "invalid_api_key", 404: "not_found", 429: "rate_limit_exceeded"}
_FIRST_SERVER_ERROR = 500


def _turns(request: Json) -> list[Turn]:
    return [_turn(members(message)) for message in elements(request.get("messages"))]


def _turn(message: Json) -> Turn:
    role = _ROLES.get(message.get("role"), "tool")
    return Turn(role, text_of(message.get("content")) if role in ("system", "user") else "")


def _whole(answer: Answer) -> Json:
    reply = answer.reply
    message: dict[str, object] = {"role": "assistant", "content": reply.text or None, "refusal": None}
    if reply.thinking:
        message["reasoning_content"] = reply.thinking
    if reply.calls:
        message["tool_calls"] = [_call(answer, index, call.arguments) for index, call in enumerate(reply.calls)]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish_reason(answer)}
    return _envelope(answer, "chat.completion", choices=[choice], usage=_usage(answer))


def _stream(answer: Answer) -> Stream:
    finish = [_chunk(answer, {}, _finish_reason(answer))]
    if answer.wants_usage:
        finish.append(_event(_envelope(answer, "chat.completion.chunk", choices=[], usage=_usage(answer))))
    return Stream(body=tuple(_chunk(answer, delta) for delta in _deltas(answer)), finish=(*finish, _DONE))


def _deltas(answer: Answer) -> Iterator[Json]:
    yield {"role": "assistant", "content": ""}
    for piece in pieces(answer.reply.thinking):
        yield {"reasoning_content": piece}
    for piece in pieces(answer.reply.text):
        yield {"content": piece}
    for index, call in enumerate(answer.reply.calls):
        yield {"tool_calls": [{"index": index, **_call(answer, index, "")}]}
        for piece in pieces(call.arguments):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _chunk(answer: Answer, delta: Json, finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return _event(_envelope(answer, "chat.completion.chunk", choices=[choice]))


def _event(data: Json) -> bytes:
    return b"data: " + encode(data) + b"\n\n"


def _envelope(answer: Answer, kind: str, **rest: object) -> Json:
    return {
        "id": f"chatcmpl-{answer.key}",
        "object": kind,
        "created": answer.created,
        "model": answer.model,
        **rest,
    }


def _call(answer: Answer, index: int, arguments: str) -> Json:
    function = {"name": answer.reply.calls[index].name, "arguments": arguments}
    return {"id": answer.call_id(index), "type": "function", "function": function}


def _finish_reason(answer: Answer) -> str:
    return "tool_calls" if answer.reply.calls else "stop"


def _usage(answer: Answer) -> Json:
    return {
        "prompt_tokens": answer.input_tokens,
        "completion_tokens": answer.output_tokens,
        "total_tokens": answer.input_tokens + answer.output_tokens,
        "prompt_tokens_details": {"cached_tokens": answer.cached_tokens},
    }


def openai_error(status: int, message: str) -> Json:
    """Return an error as both of OpenAI's protocols write it."""
    kind = "server_error" if status >= _FIRST_SERVER_ERROR else "invalid_request_error"
    code = _ERROR_CODES.get(status)
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


CHAT = Dialect(turns=_turns, whole=_whole, stream=_stream, error=openai_error)
