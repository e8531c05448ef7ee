"""`auto --answers FILE`: what is written down before a run, checked before anything is begun."""

import json
from pathlib import Path

import pytest

from tests.surfaces.conftest import grow
from walkaway.core.ids import Scope
from walkaway.testing.moments import gate


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("none.toml", None, "cannot be read"),
        ("a.toml", "depth:M001 = 'confirm'", "no TOML"),
        ("a.json", "{", "no JSON"),
        ("a.json", '["confirm"]', "no table"),
        ("a.toml", "'depth:M001' = true", "no text"),
        ("a.toml", "'depth:M001' = ''", "no text"),
        ("a.toml", "[asked]\nx = 'y'", "no text"),
        ("a.toml", "'Depth M001' = 'confirm'", "is no question"),
        ("a.toml", "'depth:M001/S01' = 'confirm'", "is no question"),
    ],
)
def test_a_file_that_is_no_table_of_answers_is_an_error_of_usage(opened, walkaway, tmp_path, name, text, words):
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    ran = walkaway("auto", "--answers", str(path))
    assert ran.code == 2
    assert words in ran.err


@pytest.mark.parametrize("words", ["confirm", "confirmed", "yes"])
def test_a_gate_is_answered_by_the_file_only_with_its_own_word(opened, walkaway, tmp_path, words, monkeypatch):
    monkeypatch.setenv("WALKAWAY_MODEL__API_KEY_ENV", "SOME_KEY")
    monkeypatch.setenv("SOME_KEY", "x")
    grow(opened.store, [gate()])
    path = Path(tmp_path / "answers.json")
    path.write_text(json.dumps({"depth:M001": words, "asked": "never"}))
    ran = walkaway("auto", "--json", "--max-cost", "0", "--answers", str(path))
    asked = opened.store.snapshot(Scope("M001")).questions["M001-Q1"]
    assert (asked.answer, asked.answered_by) == (("confirm", "the answers file") if words == "confirm" else ("", ""))
    assert "Nothing asked for these answers: asked." in ran.out
