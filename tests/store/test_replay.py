"""The fold takes its own milestone's entries only."""

from walkaway.core.ids import ProjectId, Scope
from walkaway.store.replay import fold
from walkaway.store.store import Entry

MADE = '{"context":"","milestone":"M001","title":"T"}'


def entry(scope: str, body: str) -> Entry:
    return Entry(
        scope=Scope(scope), rev=1, i=0, at=1.0, by="ann", epoch=0, fencing_token=0, type="MilestoneCreated", body=body
    )


def test_entries_of_other_milestones_are_passed_over() -> None:
    entries = [entry("M002", MADE.replace("M001", "M002")), entry("M001", MADE)]
    s = fold(ProjectId("p"), Scope("M001"), entries)
    assert (s.milestone.id, s.milestone.created_at) == ("M001", 1.0)
