"""Scripts: what they say to whom, and how a malformed one is refused."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from walkaway.playback import Script, ScriptError, load
from walkaway.playback.load import parse
from walkaway.playback.prompter import Prompter
from walkaway.playback.script import Failure, Place, Reply


def place(unit: str = "execute-task M001/S01/T01", attempt: int = 1, step: int = 0) -> Place:
    return Place(unit=unit, attempt=attempt, step=step)


def script(*units: dict[str, object]) -> Script:
    return parse({"units": list(units)})


def line(unit: str, *say: object, **more: object) -> dict[str, object]:
    return {"unit": unit, "say": list(say), **more}


def said(prompter: Prompter, where: Place) -> str:
    answer = prompter.answer(where)
    return answer.text if isinstance(answer, Reply) else f"{answer.status} {answer.message}"


def test_the_first_entry_that_matches_wins() -> None:
    prompter = Prompter(
        script(
            line("execute-task M001/S01/T02", {"text": "exact"}),
            line("execute-task *", {"text": "second"}, attempt=2),
            line("execute-task *", {"text": "any"}),
            line("execute-task M001/S01/T03", {"text": "never"}),
        )
    )
    assert said(prompter, place("execute-task M001/S01/T02", attempt=2)) == "exact"
    assert said(prompter, place("execute-task M001/S01/T03", attempt=2)) == "second"
    assert said(prompter, place("execute-task M001/S01/T03", attempt=1)) == "any"
    assert said(prompter, place("plan-slice M001/S01")).startswith("400 ")


def test_an_entry_may_name_words_that_the_prompt_has_to_hold() -> None:
    prompter = Prompter(script(line("a *", {"text": "again"}, when="S04"), line("a *", {"text": "first"})))
    assert said(prompter, place("a M001")) == "first"
    assert said(prompter, replace(place("a M001"), prompt="Unit: a M001\n\n- S04: more")) == "again"


def test_an_entry_that_matches_and_is_used_up_does_not_fall_through() -> None:
    prompter = Prompter(script(line("a *", {"text": "one"}), line("a *", {"text": "x"}, {"text": "y"})))
    assert said(prompter, place("a M001", step=1)).startswith("400 ")


def test_errors_stand_before_the_reply_that_follows_them_and_are_given_in_order() -> None:
    prompter = Prompter(
        script(
            line(
                "a *",
                {"text": "zero"},
                {"error": {"status": 500, "message": "first"}, "times": 2},
                {"error": {"status": 503, "message": "second"}},
                {"text": "one"},
                {"error": {"status": 429, "message": "last"}},
            )
        )
    )
    assert said(prompter, place("a M001")) == "zero"
    given = [said(prompter, place("a M001", step=1)) for _ in range(5)]
    assert given == ["500 first", "500 first", "503 second", "one", "one"]
    assert said(prompter, place("a M001")) == "zero"
    assert said(prompter, place("a M001", step=2)) == "429 last"
    assert said(prompter, place("a M001", step=2)).startswith("400 ")


def test_errors_are_counted_exactly_under_many_threads() -> None:
    prompter = Prompter(script(line("a *", {"error": {"status": 500}, "times": 37}, {"text": "ok"})))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(prompter.answer, [place("a M001")] * 100))
    assert sum(isinstance(answer, Failure) for answer in answers) == 37


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"say": []}, r"units\[0\] lacks the key 'unit'"),
        ({"unit": "execute-task", "say": []}, r"units\[0\]: 'unit' must be a kind and a target"),
        ({"unit": 3, "say": []}, r"units\[0\]: 'unit' must be a string, not 3"),
        ({"unit": "a *"}, r"units\[0\] lacks the key 'say': it must be a list"),
        ({"unit": "a *", "say": "hello"}, r"units\[0\]: 'say' must be a list, not 'hello'"),
        (
            {"unit": "a *", "say": [], "attempt": 0},
            r"units\[0\]: 'attempt' must be a whole number, 1 or more",
        ),
        ({"unit": "a *", "say": [], "attempt": True}, r"'attempt' must be a whole number"),
        ({"unit": "a *", "says": []}, r"units\[0\] has an unknown key 'says'"),
        ("a *", r"units\[0\] must be a mapping"),
    ],
)
def test_a_malformed_entry_is_refused_by_name(entry: object, complaint: str) -> None:
    with pytest.raises(ScriptError, match=complaint):
        parse({"units": [entry]})


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("hello", r"say\[1\] must be a mapping"),
        ({}, r"say\[1\] says nothing"),
        ({"delay": 1}, r"say\[1\] says nothing"),
        ({"tool": []}, r"say\[1\] has an unknown key 'tool'"),
        ({"text": "a", "times": 2}, r"say\[1\] has an unknown key 'times'"),
        ({"text": None}, r"say\[1\]: 'text' must be a string, not None"),
        ({"text": "a", "delay": -1}, r"say\[1\]: 'delay' must be a number of seconds from 0"),
        ({"hang": "long"}, r"say\[1\]: 'hang' must be a number of seconds"),
        ({"hang": float("inf")}, r"say\[1\]: 'hang' must be a number of seconds"),
        ({"text": "a", "cut": -1}, r"say\[1\]: 'cut' must be a whole number, 0 or more"),
        ({"text": "a", "cut": None}, r"say\[1\]: 'cut' must be a whole number"),
        ({"text": "a", "usage": {"in": 1}}, r"say\[1\]\.usage has an unknown key 'in'"),
        (
            {"text": "a", "usage": {"input": 1, "cached": 2}},
            r"say\[1\]\.usage: 'cached' must be at most 'input'",
        ),
        ({"tools": {}}, r"say\[1\]: 'tools' must be a list"),
        ({"tools": [{"args": {}}]}, r"say\[1\]\.tools\[0\] lacks the key 'name'"),
        ({"tools": [{"name": "a", "args": "x"}]}, r"tools\[0\]: 'args' must be a mapping, not 'x'"),
        (
            {"tools": [{"name": "a", "args": {"b": [{1: 2}]}}]},
            r"tools\[0\]\.args\.b\[0\]: the key 1 is not a string",
        ),
        ({"tools": [{"name": "a", "args": {"b": b"x"}}]}, r"args\.b is b'x', which JSON cannot hold"),
        ({"tools": [{"name": "a", "args": {"b": float("nan")}}]}, r"args\.b is nan, which JSON cannot hold"),
        ({"error": {}}, r"say\[1\]\.error lacks the key 'status'"),
        ({"error": {"status": 200}}, r"say\[1\]\.error: 'status' must be an HTTP status from 400 to 599"),
        ({"error": {"status": 429, "after": 1}}, r"say\[1\]\.error has an unknown key 'after'"),
        ({"error": {"status": 429}, "times": 0}, r"say\[1\]: 'times' must be a whole number, 1 or more"),
        ({"error": {"status": 429}, "text": "a"}, r"say\[1\] has an unknown key 'text'"),
    ],
)
def test_a_malformed_reply_is_refused_by_name(said: object, complaint: str) -> None:
    with pytest.raises(ScriptError, match=complaint):
        script(line("a *", {"text": "fine"}, said))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("units: [", "is not YAML"),
        ("[]", "The script must be a mapping"),
        ("", "The script must be a mapping"),
        ("unit: []", "unknown key 'unit'"),
        ("{}", "lacks the key 'units'"),
        (
            "units: [{unit: 'a *', say: [{tools: [{name: b, args: {day: 2024-01-01}}]}]}]",
            r"args\.day is .*quotes",
        ),
    ],
)
def test_a_malformed_file_is_refused_with_its_path(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "script.yaml"
    path.write_text(text)
    with pytest.raises(ScriptError, match=complaint) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_one_that_is_no_text_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"cannot be read: No such file"):
        load(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"units: \xff\xfe\x00")
    with pytest.raises(ScriptError, match="is not YAML"):
        load(str(tmp_path / "binary.yaml"))


def test_arguments_are_kept_as_they_were_written() -> None:
    args = {"path": "a.py", "content": "é\n", "n": 1.5, "deep": [{"none": None, "yes": True}]}
    (only,) = script(line("a *", {"tools": [{"name": "write", "args": args}]})).lines
    assert json.loads(only.replies[0].calls[0].arguments) == args
