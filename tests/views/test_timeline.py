"""The journal for people: which run, which kind of note, and no line longer than can be read."""

import pytest

from walkaway.views.timeline import line

CLAIMED = {"dispatch": "M001-D003", "unit": "plan-slice", "target": "M001/S01", "attempt": 2, "base": "a" * 40}
NOTE = {
    "note": {"id": "M001-N1", "kind": "research-slice", "target": "M001/S01", "verdict": "", "summary": "Two  files."}
}
EVIDENCE = {"evidence": {"id": "M001-E1", "command": "make test", "result": "fail", "dispatch_id": "M001-D003"}}


@pytest.mark.parametrize(
    ("kind", "fact", "told"),
    [
        ("DispatchClaimed", CLAIMED, "M001-D003  plan-slice  M001/S01  2"),
        ("DispatchStarted", {"dispatch": "M001-D003"}, "M001-D003"),
        ("NoteTaken", NOTE, "research-slice  M001/S01  Two files."),
        ("EvidenceRecorded", EVIDENCE, "make test fail"),
        ("BaselineAccepted", {}, ""),
    ],
)
def test_an_entry_is_told_in_one_line(kind, fact, told):
    when, scope, name, *rest = line(0.0, "M001", kind, fact).split(maxsplit=4)[1:]
    assert (when, scope, name) == ("00:00:00Z", "M001", kind)
    assert " ".join(rest) == " ".join(told.split())


def test_what_is_long_is_cut():
    shown = line(0.0, "M001", "DispatchFailed", {"dispatch": "M001-D003", "why": "x" * 500})
    assert shown.endswith("…")
    assert len(shown) < 220
