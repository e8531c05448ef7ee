"""What a fact does to the registers, what a memory is worth, and what a search finds."""

import pytest

from walkaway.core.errors import IllegalTransition
from walkaway.core.registers import facts as f
from walkaway.core.registers.model import ACTIVE_MOST, Decision, Memory, Registers, Requirement
from walkaway.core.registers.search import Text, search, texts_of


def fold(*events: f.RegisterEvent, completed: tuple[float, ...] = ()) -> Registers:
    r = Registers(completed=completed)
    for at, event in enumerate(events, 1):
        r = f.evolve(r, event, float(at))
    return r


def made(name: str, **changed: str) -> f.DecisionMade:
    return f.DecisionMade(
        decision=Decision(**{"id": name, "topic": "t", "decision": "Format", "choice": "CSV", **changed})
    )


def required(name: str = "R001", **changed: str) -> f.RequirementAdded:
    return f.RequirementAdded(
        requirement=Requirement(**{"id": name, "kind": "constraint", "description": "Be  Fast", **changed})
    )


def kept(name: str, content: str = "Mind it.", confidence: float = 0.8, category: str = "gotcha") -> f.MemoryKept:
    return f.MemoryKept(memory=Memory(id=name, category=category, content=content, confidence=confidence))


def test_a_decision_never_changes_but_for_what_supersedes_it():
    r = fold(made("D001"), made("D002", supersedes="D001", choice="XLSX"), made("D003", supersedes="D001"))
    assert (r.decisions["D001"].choice, r.decisions["D001"].superseded_by) == ("CSV", "D002")
    assert [d.id for d in r.current()] == ["D002", "D003"], "two that raced both stand, for people to see"


def test_a_change_leaves_what_it_does_not_name():
    r = fold(required(notes="n"), f.RequirementChanged(id="R001", status="validated"))
    assert (r.requirements["R001"].status, r.requirements["R001"].notes) == ("validated", "n")
    cleared = f.evolve(r, f.RequirementChanged(id="R001", notes=""), 9.0)
    assert cleared.requirements["R001"].notes == ""


def test_what_is_said_already_is_found_in_any_case_and_spacing():
    r = fold(required())
    assert r.same(" be fast ") == r.requirements["R001"]
    assert r.same("be") is None
    assert fold(required(status="deferred")).same("be fast") is None


def test_only_what_is_to_be_done_and_has_no_slice_is_uncovered():
    r = fold(required("R001"), required("R002", owner="M001/S01"), required("R003", status="deferred"))
    assert [q.id for q in r.requirements.values() if q.uncovered] == ["R001"]


@pytest.mark.parametrize(
    "event",
    [
        made(""),
        made("D009", choice=" "),
        made("D009", made_by="nobody"),
        made("D009", supersedes="D404"),
        made("D001"),
        required("R009", kind="wish"),
        required("R009", status="blocked"),
        required("R009", description=""),
        required("R001"),
        f.RequirementChanged(id="R404"),
        f.RequirementChanged(id="R001", status="done"),
        f.RequirementChanged(id="R001", description=" "),
        kept("MEM009", confidence=1.0),
        kept("MEM009", confidence=0.05),
        kept("MEM009", category="feeling"),
        kept("MEM009", content=""),
        kept("MEM001"),
        f.MemoriesUsed(memories=("MEM404",)),
        f.MemoryForgotten(memory="MEM404", why="w"),
        f.MemoryForgotten(memory="MEM001", why=""),
    ],
)
def test_what_cannot_be_is_refused(event):
    r = fold(made("D001"), required(), kept("MEM001"))
    with pytest.raises(IllegalTransition):
        f.evolve(r, event, 5.0)


def test_a_memory_fades_by_units_without_a_hit_and_a_hit_restores_it():
    units = tuple(float(n) for n in range(10, 50))
    r = fold(kept("MEM001"), completed=units[:19])
    assert r.confidence(r.memories["MEM001"]) == 0.8
    r = fold(kept("MEM001"), completed=units[:20])
    assert r.confidence(r.memories["MEM001"]) == pytest.approx(0.7)
    r = f.evolve(r, f.MemoriesUsed(memories=("MEM001",)), 29.0)
    assert r.confidence(r.memories["MEM001"]) == 0.8
    assert r.rank(r.memories["MEM001"]) == pytest.approx(0.88)
    faded = fold(kept("MEM001"), completed=tuple(float(n) for n in range(10, 1000)))
    assert faded.confidence(faded.memories["MEM001"]) == 0.1


def test_at_most_fifty_are_told_the_best_first_and_none_that_was_forgotten():
    events = [kept(f"MEM{n:03}", confidence=0.1 + n / 100) for n in range(1, ACTIVE_MOST + 3)]
    r = fold(*events, f.MemoryForgotten(memory="MEM052", why="w"))
    told = [m.id for m in r.active()]
    assert (len(told), told[0], told[-1]) == (ACTIVE_MOST, "MEM051", "MEM002")


def test_numbers_beyond_three_digits_stand_last():
    assert [*fold(made("D1000"), made("D999")).decisions] == ["D999", "D1000"]


def test_a_search_finds_other_forms_of_a_word_and_ranks_what_fits_best():
    texts = [
        Text(id="a", text="Exports are written as CSV; the export of a month takes seconds."),
        Text(id="b", text="Exporting needs a file; all else is about imports, dates and many other things besides."),
        Text(id="c", text="The database is SQLite."),
    ]
    assert [t.id for t in search(texts, "export", 5)] == ["a", "b"]
    assert [t.id for t in search(texts, "export", 1)] == ["a"]
    assert search(texts, "a rare database", 5)[0].id == "c"
    assert search(texts, "nothing", 5) == ()
    assert search(texts, "", 5) == ()
    assert search([], "x", 5) == ()


def test_a_search_sees_what_is_current_and_weighs_memories_by_their_rank():
    r = fold(
        made("D001", choice="gzip"), made("D002", supersedes="D001", choice="zstd"),
        kept("MEM001", "tests are slow", 0.2), kept("MEM002", "tests are slow", 0.9), kept("MEM003", "tests"),
        f.MemoryForgotten(memory="MEM003", why="w"),
    )  # fmt: skip
    assert search(texts_of(r), "gzip", 5) == ()
    assert [t.id for t in search(texts_of(r), "tests", 5)] == ["MEM002", "MEM001"]
