"""I11, I12, I13: each start of a unit has one end, in the journal as in the tables; and how soon work is begun again."""

import json
import signal
from collections.abc import Mapping, Sequence

import pytest

from tests.coordination.audit import ENDS, MOVES
from tests.coordination.conftest import NewStage
from tests.coordination.stand import TASK, Stand, result, soon
from tests.tiers import tier
from walkaway.chaos.stage import told
from walkaway.store.journal import Entry

POINTS = 187
"""So many a run of one task comes to, see `fated`; the last ones are when nothing is left to do."""

RESTART_S = 5.0


def stories(stage: Stand) -> Mapping[str, Sequence[Entry]]:
    """Return what the journal tells of each dispatch, in order."""
    found: dict[str, list[Entry]] = {}
    for entry in stage.journal():
        if entry.type in MOVES:
            found.setdefault(str(json.loads(entry.body)["dispatch"]), []).append(entry)
    return found


def each_start_has_one_end(stage: Stand) -> None:
    """Assert I11, I12 and I13 of everything that has happened on a stage where nobody works."""
    told_of = stories(stage)
    rows = {d.id: d for row in stage.store.overview().milestones for d in stage.snapshot(row.id).dispatches.values()}
    assert told_of.keys() == rows.keys(), "I13: each row has a start, and each start a row"
    for dispatch, story in told_of.items():
        kinds = [entry.type for entry in story]
        assert kinds[0] == "DispatchClaimed"
        assert kinds.count("DispatchClaimed") == 1
        assert [kind for kind in kinds if kind in ENDS] == kinds[-1:], f"I11: {dispatch} has one end, its last fact"
        before = ""
        for entry in story:
            required, made = MOVES[entry.type]
            assert before in (required or ("",)), f"I12: {dispatch}: {entry.type} is caused by an earlier fact"
            before = made
        assert [(e.rev, e.i) for e in story] == sorted({(e.rev, e.i) for e in story})
        assert rows[dispatch].status == before, "I13: the row is what the journal says"


@pytest.mark.parametrize("point", tier([93, 120], range(1, POINTS, 3)))
def test_i11_a_worker_killed_at_any_point_leaves_each_start_with_one_end(new_stage: NewStage, point: int) -> None:
    stage = new_stage(tasks=1)
    stage.dead(stage.fated(f"at any {point} {int(signal.SIGKILL)}"))
    before = set(stage.refs().values())
    stage.completes()
    each_start_has_one_end(stage)
    stage.all_is_well()
    kept = set(stage.git("rev-list", "--all").split())
    assert before <= kept, "I20: what was reachable is reachable"


@pytest.mark.parametrize("second", tier([40], [5, 40, 80]))
def test_i11_a_worker_that_recovers_and_is_killed_itself_leaves_no_start_without_end(
    new_stage: NewStage, second: int
) -> None:
    stage = new_stage(tasks=1)
    stage.dead(stage.fated(f"after commit:DispatchStarted 3 {int(signal.SIGKILL)}"))
    stage.dead(stage.fated(f"at any {second} {int(signal.SIGKILL)}"))
    stage.completes()
    each_start_has_one_end(stage)
    stage.all_is_well()


def test_a_unit_whose_worker_was_killed_runs_again_within_five_seconds_under_a_higher_token(
    new_stage: NewStage,
) -> None:
    stage = new_stage(TASK, ttl_s=60.0, tasks=1)
    killed = stage.start()
    first = stage.at_work()
    stage.waits()
    stage.kill(killed)
    heir = stage.start()
    took = soon(lambda: stage.statuses()[-1:] == ["running"] and len(stage.runs()) > 1, "it runs again", RESTART_S)
    assert took < RESTART_S
    second = stage.runs()[-1]
    assert second.fencing_token > first.fencing_token
    assert second.attempt == first.attempt, "a crash consumes none"
    stage.waits()
    stage.set_free()
    assert heir.wait(60) == 0, heir.output()
    said = [line for line in told(heir) if "died" in str(line) or "dead" in str(line)]
    assert said, heir.output()
    assert result(heir.output())["status"] == "complete"
    each_start_has_one_end(stage)
    stage.all_is_well()
