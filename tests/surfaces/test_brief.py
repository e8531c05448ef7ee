"""`walkaway brief`: what an agent is told, by the code that tells it, and how large each part is."""

import json

from tests.surfaces.conftest import grow
from tests.surfaces.stories import M


def test_the_brief_of_the_next_unit_is_shown_and_nothing_begins(place, opened, walkaway):
    grow(opened.store, [])
    before = opened.store.snapshot(M).rev
    ran = walkaway("brief")
    assert ran.code == 0
    assert "Unit: plan-milestone M001 (attempt 1)" in ran.out
    assert "You are done when the tool `report` accepts your report." in ran.out
    assert opened.store.snapshot(M).rev == before


def test_the_parts_of_a_brief_add_up_to_it(place, opened, walkaway):
    grow(opened.store, [])
    told = json.loads(walkaway("brief", "--json").out)
    parts = {row["part"]: row["bytes"] for row in told["sizes"]}
    texts = len(told["system"].encode()) + len(told["prompt"].encode())
    tools = next(size for part, size in parts.items() if part.endswith(" tools"))
    assert sum(parts.values()) == told["bytes"] == texts + tools
    assert tools > 1_000
    assert parts["System prompt"] == len(told["system"].encode())
    assert parts["Specification"] > 0
    assert told["bytes"] <= 25_000
    ran = walkaway("brief", "--sizes")
    assert f"{told['bytes']:>8,}  bytes in all" in ran.out
    assert f"{parts['Specification']:>8,}  Specification" in ran.out


def test_a_unit_is_named_by_its_kind_and_target_and_one_that_cannot_be_is_an_error(place, opened, walkaway):
    grow(opened.store, [])
    assert "Unit: plan-milestone M001" in walkaway("brief", "plan-milestone", "M001").out
    for wrong in (("execute-task", "M001/S01/T01"), ("plan-milestone", "M009"), ("dance", "M001"), ("dance",)):
        assert walkaway("brief", *wrong).code == 2
