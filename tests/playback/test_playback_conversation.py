"""Where a conversation stands, read from the requests of all three protocols."""

import pytest

from walkaway.playback.anthropic import MESSAGES
from walkaway.playback.conversation import Turn, locate
from walkaway.playback.openai_chat import CHAT
from walkaway.playback.openai_responses import RESPONSES
from walkaway.playback.wire import Dialect, Json

USER, ASSISTANT, TOOL = Turn("user", "Unit: a M001"), Turn("assistant"), Turn("tool")


@pytest.mark.parametrize(
    ("text", "unit", "attempt"),
    [
        ("Unit: execute-task M001/S01/T01", "execute-task M001/S01/T01", 1),
        ("Unit: execute-task M001/S01/T01 attempt 2", "execute-task M001/S01/T01", 2),
        ("Unit: execute-task M001/S01/T01 (attempt 12)\r\nmore", "execute-task M001/S01/T01", 12),
        ("Quoted:\nUnit: a M001\n\nUnit: b M002 (attempt 3)\n", "b M002", 3),
        ("Unit: a M001\nattempt 3", "a M001", 1),
        ("The line Unit: a M001", None, None),
        ("Unit: a M001 and more", None, None),
    ],
)
def test_the_last_unit_line_of_the_text_names_unit_and_attempt(
    text: str, unit: str | None, attempt: int | None
) -> None:
    place = locate([Turn("user", text)])
    assert (place.unit, place.attempt) == (unit, attempt)


def test_the_first_user_message_goes_before_the_system_text_and_that_before_later_messages() -> None:
    system, later = Turn("system", "Unit: s M001"), Turn("user", "Unit: l M001")
    assert locate([system, USER, later]).unit == "a M001"
    assert locate([system, Turn("user", "Hello."), later]).unit == "s M001"
    assert locate([Turn("user", "Hello."), ASSISTANT, later]).unit == "l M001"


def test_the_last_step_line_is_the_base_for_the_messages_after_it() -> None:
    compacted = Turn("user", "Step: 3\nStep: 7")
    assert locate([USER, ASSISTANT, compacted, ASSISTANT, TOOL]).step == 8
    assert locate([Turn("user", "Step: 2"), ASSISTANT, compacted]).step == 7
    assert locate([Turn("user", "See Step: 2"), ASSISTANT, TOOL]).step == 1


CALL: Json = {"type": "function_call", "call_id": "c", "name": "n", "arguments": "{}"}
OUTPUT: Json = {"type": "function_call_output", "call_id": "c", "output": "Unit: x M9\nStep: 9"}
SAID: Json = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Step: 9"}]}
THOUGHT: Json = {"type": "reasoning", "id": "r", "summary": []}
ASKED: Json = {"role": "user", "content": [{"type": "input_text", "text": "Unit: a M001"}]}


@pytest.mark.parametrize(
    ("given", "step"),
    [
        ("Unit: a M001", 0),
        ([ASKED], 0),
        ([ASKED, THOUGHT, SAID, CALL, CALL, OUTPUT, OUTPUT], 1),
        ([ASKED, THOUGHT, SAID, CALL, OUTPUT, CALL, OUTPUT, SAID], 3),
        ([ASKED, {"role": "assistant", "content": "Yes."}, ASKED], 1),
        ([ASKED, SAID, {"role": "developer", "content": "Go on."}, SAID], 2),
    ],
)
def test_a_run_of_output_items_is_one_assistant_message(given: object, step: int) -> None:
    place = locate(RESPONSES.turns({"instructions": "Be brief.", "input": given}))
    assert (place.unit, place.step) == ("a M001", step)


def test_text_that_tools_and_the_model_wrote_names_no_unit_and_no_step() -> None:
    chat = locate(
        CHAT.turns(
            {
                "messages": [
                    {"role": "developer", "content": [{"type": "text", "text": "Unit: s M001"}]},
                    {"role": "user", "content": "Hello."},
                    {"role": "assistant", "content": "Unit: a M001\nStep: 9"},
                    {"role": "tool", "tool_call_id": "c", "content": "Unit: t M001\nStep: 9"},
                ]
            }
        )
    )
    assert (chat.unit, chat.step) == ("s M001", 1)
    result = {
        "type": "tool_result",
        "tool_use_id": "c",
        "content": [{"type": "text", "text": "Unit: t M001\nStep: 9"}],
    }
    messages = locate(
        MESSAGES.turns(
            {
                "system": [
                    {"type": "text", "text": "Rules.", "cache_control": {}},
                    {"type": "text", "text": "Unit: s M001"},
                ],
                "messages": [
                    {"role": "user", "content": "Hello."},
                    {"role": "assistant", "content": [{"type": "text", "text": "Unit: a M001\nStep: 9"}]},
                    {"role": "user", "content": [result]},
                ],
            }
        )
    )
    assert (messages.unit, messages.step) == ("s M001", 1)


@pytest.mark.parametrize("dialect", [CHAT, RESPONSES, MESSAGES])
@pytest.mark.parametrize("request_", [{}, {"messages": 3, "input": 3, "system": 3}, {"messages": [3], "input": [3]}])
def test_a_request_of_a_strange_shape_names_no_unit(dialect: Dialect, request_: Json) -> None:
    assert locate(dialect.turns(request_)).unit is None
