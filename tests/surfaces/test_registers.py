"""`decisions`, `requirements` and `memory`: what people write into the registers, and what they see."""

import pytest


def test_a_decision_is_entered_shown_and_superseded(opened, walkaway):
    assert "Nothing was decided" in walkaway("decisions").out
    ran = walkaway("decisions", "add", "Format", "--choice", "CSV", "--rationale", "Every tool opens it.")
    assert (ran.code, "D001" in ran.out) == (0, True)
    assert walkaway("decisions", "add", "Format", "--choice", "XLSX", "--supersedes", "D001").code == 0
    shown = walkaway("decisions").out
    assert "XLSX" in shown
    assert "CSV" not in shown
    assert "superseded by D002" in walkaway("decisions", "--all").out
    told = walkaway("decisions", "--json").json()[0]["decisions"]
    assert [(d["id"], d["made_by"], d["superseded_by"]) for d in told] == [
        ("D001", "human", "D002"),
        ("D002", "human", ""),
    ]
    assert walkaway("query").json()[0]["state"]["recentDecisions"] == ["D002: Format: XLSX"]
    assert "DecisionMade" in walkaway("log").out
    assert opened.store.registers().decisions["D001"].rationale == "Every tool opens it."


def test_a_requirement_is_entered_once_and_changed(opened, walkaway):
    assert walkaway("requirements", "add", "Export a month.", "--class", "core-capability").code == 0
    twice = walkaway("requirements", "add", "export  a MONTH.")
    assert (twice.code, "R001 says that already" in twice.err) == (2, True)
    assert "no slice covers it" in walkaway("requirements").out
    assert walkaway("requirements", "update", "R001", "--owner", "M001/S02").code == 0
    assert "M001/S02" in walkaway("requirements").out
    (told,) = walkaway("requirements", "--json").json()[0]["requirements"]
    assert (told["status"], told["owner"], told["source"]) == ("active", "M001/S02", "user")
    counted = walkaway("query").json()[0]["state"]["requirements"]
    assert (counted["active"], counted["validated"], counted["total"]) == (1, 0, 1)


def test_a_memory_is_kept_found_and_forgotten(opened, walkaway):
    assert walkaway("memory", "add", "Exporting needs UTF-8.", "--category", "gotcha").code == 0
    assert "MEM001  Exporting" in walkaway("memory", "search", "exports").out
    assert walkaway("memory", "search", "exports", "--json").json()[0]["found"][0]["id"] == "MEM001"
    assert walkaway("memory", "--json").json()[0]["memories"][0]["rank"] == 0.8
    assert walkaway("memory", "forget", "MEM001").code == 0
    assert "Nothing is remembered" in walkaway("memory").out
    assert "Nothing was found" in walkaway("memory", "search", "exports").out


@pytest.mark.parametrize(
    "args",
    [
        ("decisions", "add", "Format", "--choice", ""),
        ("decisions", "add", "Format", "--choice", "x", "--supersedes", "D404"),
        ("decisions", "add", "Format", "--choice", "password=hunter2hunter2"),
        ("requirements", "add", "x", "--class", "wish"),
        ("requirements", "update", "R404", "--notes", "x"),
        ("requirements", "update", "R001"),
        ("memory", "add", "The key is sk-ant-0123456789abcdef0123456789"),
        ("memory", "add", "x", "--confidence", "2"),
        ("memory", "forget", "MEM404"),
    ],
)
def test_what_cannot_be_is_said_and_spends_no_number(opened, walkaway, args):
    ran = walkaway(*args)
    assert ran.code == 2
    r = opened.store.registers()
    assert (dict(r.decisions), dict(r.requirements), dict(r.memories)) == ({}, {}, {})
    assert walkaway("memory", "add", "First.").out.startswith("MEM001")
