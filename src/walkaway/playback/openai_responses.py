"""The protocol of OpenAI's responses."""

from collections.abc import Iterator

from walkaway.playback.conversation import Turn
from walkaway.playback.openai_chat import openai_error
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


def _turns(request: Json) -> list[Turn]:
    """Return one turn per message; a run of output items (reasoning, text, calls) is a single one."""
    turns = [Turn("system", text_of(request["instructions"]))] if request.get("instructions") else []
    given = request.get("input")
    if isinstance(given, str):
        return [*turns, Turn("user", given)]
    for item in map(members, elements(given)):
        turn = _turn(item)
        if not (turn.role == "assistant" and turns and turns[-1].role == "assistant"):
            turns.append(turn)
    return turns


def _turn(item: Json) -> Turn:
    role = item.get("role")
    if role in ("system", "developer", "user"):
        return Turn("user" if role == "user" else "system", text_of(item.get("content")))
    return Turn("tool" if str(item.get("type")).endswith("_output") else "assistant")


def _whole(answer: Answer) -> Json:
    return {**_opening(answer), "status": "completed", "output": _items(answer), "usage": _usage(answer)}


def _stream(answer: Answer) -> Stream:
    nothing: list[Json] = []
    opening = {**_opening(answer), "status": "in_progress", "output": nothing, "usage": None}
    events = [
        {"type": "response.created", "response": opening},
        *(event for index, item in enumerate(_items(answer)) for event in _item_events(index, item)),
        {"type": "response.completed", "response": _whole(answer)},
    ]
    sent = [named_event({**event, "sequence_number": number}) for number, event in enumerate(events)]
    return Stream(body=tuple(sent[:-1]), finish=tuple(sent[-1:]))


def _items(answer: Answer) -> list[Json]:
    """Return the output items as they are when they are finished."""
    reply, items = answer.reply, list[Json]()
    if reply.thinking:
        summary = {"type": "summary_text", "text": reply.thinking}
        items.append({"id": f"rs_{answer.key}", "type": "reasoning", "summary": [summary]})
    if reply.text:
        content = {"type": "output_text", "text": reply.text, "annotations": []}
        message = {"id": f"msg_{answer.key}", "type": "message", "role": "assistant", "content": [content]}
        items.append({**message, "status": "completed"})
    for index, call in enumerate(reply.calls):
        names = {"id": f"fc_{answer.key}_{index}", "call_id": answer.call_id(index), "name": call.name}
        items.append({"type": "function_call", **names, "arguments": call.arguments, "status": "completed"})
    return items


def _item_events(index: int, item: Json) -> Iterator[Json]:
    """Yield what a stream says about one output item, from its first word to its last."""
    place = {"item_id": item["id"], "output_index": index}
    nothing: list[Json] = []
    match item["type"]:
        case "reasoning":
            empty, filling = {"summary": nothing}, _summary_events(place, item)
        case "message":
            empty, filling = ({"content": nothing, "status": "in_progress"}, _text_events(place, item))
        case _:
            empty, filling = ({"arguments": "", "status": "in_progress"}, _argument_events(place, item))
    yield {"type": "response.output_item.added", "output_index": index, "item": {**item, **empty}}
    yield from filling
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _summary_events(place: Json, item: Json) -> Iterator[Json]:
    part = members(elements(item["summary"])[0])
    where, text, kind = ({**place, "summary_index": 0}, str(part["text"]), "response.reasoning_summary")
    yield {"type": f"{kind}_part.added", **where, "part": {**part, "text": ""}}
    for piece in pieces(text):
        yield {"type": f"{kind}_text.delta", **where, "delta": piece}
    yield {"type": f"{kind}_text.done", **where, "text": text}
    yield {"type": f"{kind}_part.done", **where, "part": part}


def _text_events(place: Json, item: Json) -> Iterator[Json]:
    part = members(elements(item["content"])[0])
    where, text = {**place, "content_index": 0}, str(part["text"])
    yield {"type": "response.content_part.added", **where, "part": {**part, "text": ""}}
    for piece in pieces(text):
        yield {"type": "response.output_text.delta", **where, "delta": piece, "logprobs": []}
    yield {"type": "response.output_text.done", **where, "text": text, "logprobs": []}
    yield {"type": "response.content_part.done", **where, "part": part}


def _argument_events(place: Json, item: Json) -> Iterator[Json]:
    kind, arguments = "response.function_call_arguments", str(item["arguments"])
    for piece in pieces(arguments):
        yield {"type": f"{kind}.delta", **place, "delta": piece}
    yield {"type": f"{kind}.done", **place, "name": item["name"], "arguments": arguments}


def _opening(answer: Answer) -> Json:
    return {
        "id": f"resp_{answer.key}",
        "object": "response",
        "created_at": answer.created,
        "model": answer.model,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


def _usage(answer: Answer) -> Json:
    return {
        "input_tokens": answer.input_tokens,
        "input_tokens_details": {"cached_tokens": answer.cached_tokens},
        "output_tokens": answer.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": answer.input_tokens + answer.output_tokens,
    }


RESPONSES = Dialect(turns=_turns, whole=_whole, stream=_stream, error=openai_error)
