"""Checks of the database, on both: each fault is planted, found, mended where that is safe, and found no more."""

import pytest

from tests.doctor.conftest import Ward
from tests.surfaces import stories
from walkaway import doctor
from walkaway.core import events as e
from walkaway.core.errors import Refused
from walkaway.core.fleet.pause import Pause, Stop
from walkaway.core.ids import PROJECT_SCOPE, DispatchId, Scope, WorkerId, slice_id
from walkaway.core.model import DispatchStatus, FailureKind, Lease, Seen
from walkaway.doctor import Severity, workers
from walkaway.identity import Identity, me
from walkaway.testing import store_registers
from walkaway.testing.moments import REPORT, reported, sha

S01 = slice_id(stories.M, 1)
T01 = f"{S01}/T01"


def claimed(lease: Lease, dispatch: str = "M001-D001") -> e.DispatchClaimed:
    return e.DispatchClaimed(
        dispatch=DispatchId(dispatch), unit="execute-task", target=T01, attempt=1, worker=lease.worker_id,
        epoch=lease.epoch, token=lease.fencing_token, base=stories.BASE,
    )  # fmt: skip


def planned(ward: Ward) -> None:
    ward.grow(ward.milestone(), *stories.planned(), *stories.sliced(S01))


def failed(dispatch: str = "M001-D001") -> e.DispatchFailed:
    return e.DispatchFailed(
        dispatch=DispatchId(dispatch), failure=FailureKind.VERIFICATION, why="it failed", output="", next_run_at=0.0
    )


def test_nothing_is_wrong_with_a_healthy_project(any_ward):
    planned(any_ward)
    any_ward.mend()
    assert any_ward.codes() <= {"disk-low", "sqlite-fault"}


# ---- workers ------------------------------------------------------------------------------------------------------


def test_a_dead_worker_is_found_and_what_it_left_is_settled(any_ward):
    planned(any_ward)
    lease = any_ward.hold_and_die(stories.M, "gone")
    any_ward.store.commit(lease, [claimed(lease), e.DispatchStarted(dispatch=DispatchId("M001-D001"))])
    any_ward.store.commands.send("steer", "{}", who="ann", worker=WorkerId("gone"))
    (finding,) = any_ward.findings("stale-worker")
    assert (finding.severity, finding.scope) == (Severity.WARNING, "gone")
    assert any_ward.mended("stale-worker") == "What gone left is settled: M001 can be taken."
    s = any_ward.store.snapshot(Scope("M001"))
    assert s.dispatches["M001-D001"].status is DispatchStatus.CANCELED
    assert any_ward.store.overview().workers == ()
    assert any_ward.store.journal({})[-1].by == workers.MYSELF
    assert any_ward.codes() >= {"dead-command"}
    assert not any_ward.codes() & {"journal-differs", "journal-unpaired", "lease-history", "dispatch-fence"}


def test_a_worker_that_may_be_alive_is_not_settled(any_ward):
    milestone = any_ward.milestone()
    any_ward.hold(milestone, "here")
    (alive,) = any_ward.store.overview().workers
    assert any_ward.findings("stale-worker", "silent-worker") == []
    finding = workers.STALE.found(alive.id, "", "")
    with pytest.raises(Refused):
        workers.fixes(any_ward.patient, finding)
    assert any_ward.store.holder(Scope(milestone)) == "here"


def test_a_worker_that_is_silent_elsewhere_is_named_and_left_alone(any_ward):
    milestone = any_ward.milestone()
    any_ward.hold(milestone, "far", Identity(host="elsewhere", boot_id="b", pid=1, started=1.0))
    assert any_ward.findings("silent-worker") == []
    any_ward.store.driver.skew += workers.SILENT_S + 1
    (finding,) = any_ward.findings("silent-worker")
    assert (finding.severity, finding.fixable, "elsewhere, pid 1" in finding.message) == (Severity.WARNING, False, True)
    assert any_ward.findings("stale-worker") == []


# ---- leases -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["DELETE FROM workers", "UPDATE workers SET status = 'stopped'"])
def test_a_lease_without_a_worker_is_found_and_ended(any_ward, how):
    milestone = any_ward.milestone()
    lease = any_ward.hold(milestone)
    any_ward.sql(how)
    (finding,) = any_ward.findings("lease-without-worker")
    assert (finding.severity, finding.scope) == (Severity.WARNING, milestone)
    assert any_ward.mended("lease-without-worker") == "M001 can be taken: the lease of w1 was ended."
    assert any_ward.store.holder(Scope(milestone)) is None
    (held,) = any_ward.store.lease_history(Scope(milestone))
    assert (held.fencing_token, held.ended_how) == (lease.fencing_token, "revoked")


def test_a_lease_that_its_history_does_not_know_is_found_and_not_touched(any_ward):
    milestone = any_ward.milestone()
    any_ward.hold(milestone)
    any_ward.sql("DELETE FROM lease_history")
    (finding,) = any_ward.findings("lease-history")
    assert (finding.severity, "does not say so" in finding.message) == (Severity.ERROR, True)
    any_ward.sql("DELETE FROM workers")
    (untold,) = [m for m in any_ward.mend() if m.finding.code == "lease-without-worker"]
    assert (untold.done, "not in its history" in untold.why) == ("", True)
    assert any_ward.store.holder(Scope(milestone)) == "w1"


def test_a_history_that_knows_a_holder_whom_the_lease_does_not_is_found(any_ward):
    milestone = any_ward.milestone()
    any_ward.store.release(any_ward.hold(milestone))
    any_ward.sql("UPDATE lease_history SET ended_how = '', ended_at = 0")
    (finding,) = any_ward.findings("lease-history")
    assert finding.message == "By the history of leases M001 is held by w1; by its lease, by nobody."


# ---- dispatches ---------------------------------------------------------------------------------------------------


def test_a_run_that_nobody_carries_on_is_a_note(any_ward):
    planned(any_ward)
    lease = any_ward.hold(stories.M)
    any_ward.store.commit(lease, [claimed(lease)])
    assert any_ward.findings("dispatch-without-end", "dispatch-fence") == []
    any_ward.store.revoke(lease.scope, lease.worker_id, lease.fencing_token)
    (finding,) = any_ward.findings("dispatch-without-end")
    assert (finding.severity, finding.scope) == (Severity.NOTE, "M001")
    assert "M001-D001 (execute-task M001/S01/T01) is claimed" in finding.message
    any_ward.hold(stories.M, "heir")  # settles it
    assert any_ward.findings("dispatch-without-end", "dispatch-fence") == []


def test_a_live_run_under_an_older_fence_must_never_be(any_ward):
    planned(any_ward)
    lease = any_ward.hold(stories.M)
    any_ward.store.commit(lease, [claimed(lease)])
    any_ward.sql("UPDATE unit_dispatches SET fencing_token = fencing_token - 1")
    (finding,) = any_ward.findings("dispatch-fence")
    assert (finding.severity, finding.fixable) == (Severity.ERROR, False)
    assert "is claimed under fence 1.1, and M001 is held under 1.2" in finding.message


# ---- orders and pauses --------------------------------------------------------------------------------------------


def test_orders_that_nobody_carried_out_are_a_note(any_ward):
    any_ward.store.register(WorkerId("w1"), me())
    any_ward.store.commands.send("wake", "{}", who="ann")
    any_ward.store.commands.send("steer", "{}", who="ann", worker=WorkerId("w1"))
    assert any_ward.findings("dead-command") == []
    any_ward.store.end_worker(WorkerId("w1"))
    (finding,) = any_ward.findings("dead-command")
    assert finding.severity is Severity.NOTE
    assert finding.message == "1 order was never carried out. The latest: #2 steer by ann: its worker is gone."


def test_a_pause_in_force_says_who_since_when_why_and_how_to_go_on(any_ward):
    milestone = any_ward.milestone()
    any_ward.store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann", reason="lunch"))
    any_ward.store.controls.pause(Pause(id=Scope(milestone), who="bob"))
    whole, one = sorted(any_ward.findings("paused"), key=lambda f: f.scope, reverse=True)
    assert (whole.scope, one.scope, whole.severity) == ("project", "M001", Severity.NOTE)
    assert whole.message.startswith("The project was paused by ann at 20")
    assert whole.message.endswith(" UTC: lunch.")
    assert "M001 was paused by bob" in one.message
    assert (whole.fix, one.fix) == ("To go on: walkaway resume", "To go on: walkaway resume --milestone M001")
    any_ward.store.controls.stop(Stop(id=PROJECT_SCOPE, who="ann"))
    assert any_ward.findings("paused", "journal-differs") == []


def test_a_step_that_was_left_pauses_nothing(any_ward):
    any_ward.store.controls.pause(Pause(id=PROJECT_SCOPE, step=True, who="ann"))
    assert any_ward.findings("paused") == []


# ---- the journal --------------------------------------------------------------------------------------------------


def test_facts_that_are_missing_from_a_revision_are_found(any_ward):
    milestone = any_ward.milestone()
    lease = any_ward.hold(milestone)
    any_ward.store.commit(lease, [*stories.planned(), *stories.sliced(S01)])
    assert any_ward.findings("journal-gap", "journal-differs") == []
    any_ward.sql("DELETE FROM events WHERE type = 'MilestonePlanned'")
    (gap,) = any_ward.findings("journal-gap")
    assert (gap.severity, gap.message) == (Severity.ERROR, "The journal of M001 lacks facts of revision 2.")
    (differs,) = any_ward.findings("journal-differs")
    assert "cannot be followed" in differs.message


def test_a_claim_without_an_end_is_found(any_ward):
    planned(any_ward)
    lease = any_ward.hold(stories.M)
    any_ward.store.commit(lease, [claimed(lease), e.DispatchStarted(dispatch=DispatchId("M001-D001"))])
    assert any_ward.findings("journal-unpaired") == []
    any_ward.store.commit(lease, [failed()])
    assert any_ward.findings("journal-unpaired") == []
    any_ward.sql("DELETE FROM events WHERE type = 'DispatchFailed'")
    (finding,) = any_ward.findings("journal-unpaired")
    assert (finding.severity, "M001-D001 (1 claimed, 0 ended)" in finding.message) == (Severity.ERROR, True)
    assert any_ward.codes() >= {"journal-differs"}


ENDINGS = {
    "fails": failed(),
    "is canceled": e.DispatchCanceled(dispatch=DispatchId("M001-D001"), failure=FailureKind.CANCELLED, why="gone"),
    "is paused": e.DispatchPaused(dispatch=DispatchId("M001-D001"), why="ann said so"),
    "is stuck": e.DispatchStuck(dispatch=DispatchId("M001-D001"), why="the same again"),
    "meets a conflict": e.IntegrationConflicted(
        dispatch=DispatchId("M001-D001"), onto=sha(8), files=("a.py",), why="Both.", log=REPORT
    ),
    "is done": e.DispatchCompleted(dispatch=DispatchId("M001-D001"), head=sha(9)),
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_whatever_ends_a_run_is_its_end(any_ward, ending):
    planned(any_ward)
    lease = any_ward.hold(stories.M)
    ended_late = isinstance(ending, e.IntegrationConflicted | e.DispatchCompleted)
    ran = [claimed(lease), e.DispatchStarted(dispatch=DispatchId("M001-D001"))]
    any_ward.store.commit(lease, [*ran, *([reported("M001-D001")] if ended_late else []), ending])
    assert any_ward.findings("journal-unpaired", "journal-differs") == []


def test_a_second_end_of_one_claim_is_found(any_ward):
    planned(any_ward)
    lease = any_ward.hold(stories.M)
    any_ward.store.commit(lease, [claimed(lease), e.DispatchStarted(dispatch=DispatchId("M001-D001"))])
    any_ward.store.commit(lease, [failed()])
    any_ward.sql(
        "INSERT INTO events (project_id, scope, rev, i, at, by_whom, epoch, fencing_token, type, body) "
        "SELECT project_id, scope, rev, i + 1, at, by_whom, epoch, fencing_token, type, body FROM events "
        "WHERE type = 'DispatchFailed'"
    )
    (finding,) = any_ward.findings("journal-unpaired")
    assert "M001-D001 (1 claimed, 2 ended)" in finding.message


def test_tables_that_differ_from_the_journal_are_found(any_ward):
    planned(any_ward)
    assert any_ward.findings("journal-differs") == []
    any_ward.sql("UPDATE tasks SET title = 'changed by hand' WHERE id = 'M001/S01/T01'")
    (finding,) = any_ward.findings("journal-differs")
    assert (finding.severity, finding.scope) == (Severity.ERROR, "M001")
    assert finding.message == "The tables of M001 differ from its journal in tasks."


def test_a_milestone_whose_whole_journal_is_gone_is_found(any_ward):
    planned(any_ward)
    any_ward.sql("DELETE FROM events")
    (finding,) = any_ward.findings("journal-differs")
    assert "milestone" in finding.message


@pytest.mark.parametrize("body", ["{", "[]", '{"who": 1}'])
def test_a_body_that_somebody_changed_by_hand_is_found(any_ward, body):
    planned(any_ward)
    any_ward.sql("UPDATE events SET body = :body WHERE type = 'SlicePlanned'", body=body)
    (finding,) = any_ward.findings("journal-differs")
    assert "cannot be followed" in finding.message


def test_pauses_that_differ_from_the_project_s_own_journal_are_found(any_ward):
    any_ward.milestone()
    any_ward.store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann", reason="lunch"))
    assert any_ward.findings("journal-differs") == []
    any_ward.sql("UPDATE pause_records SET reason = 'dinner'")
    (finding,) = any_ward.findings("journal-differs")
    assert (finding.scope, finding.message) == ("project", "The project's pauses differ from its journal.")


def test_registers_that_differ_from_what_all_journals_tell_are_found(any_ward):
    lease = any_ward.hold(any_ward.milestone())
    for fact in store_registers.EACH:
        any_ward.store.commit(lease, [fact])
    assert any_ward.findings("journal-differs", "journal-gap") == []
    any_ward.sql("UPDATE requirements SET owner = 'M001/S09'")
    (finding,) = any_ward.findings("journal-differs")
    assert (finding.scope, finding.message) == ("project", "The project's requirements differ from its journal.")
    any_ward.sql("UPDATE events SET body = '{' WHERE type = 'RequirementAdded'")
    told = {finding.message for finding in any_ward.findings("journal-differs")}
    assert any("registers cannot be followed" in message for message in told)


def test_facts_of_people_in_the_registers_stand_beside_their_pauses(any_ward):
    any_ward.milestone()
    rev = any_ward.store.registers().rev
    seen = Seen(project=any_ward.store.project, scope=PROJECT_SCOPE, rev=rev, who="ann")
    any_ward.store.commit(seen, [store_registers.made()])
    any_ward.store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))
    assert any_ward.findings("journal-differs", "journal-gap") == []


def test_a_project_s_own_journal_that_cannot_be_followed_is_found(any_ward):
    any_ward.milestone()
    any_ward.store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))
    any_ward.sql("UPDATE events SET body = '{' WHERE type = 'Paused'")
    (finding,) = any_ward.findings("journal-differs")
    assert (finding.scope, "cannot be followed" in finding.message) == ("project", True)


def test_a_journal_without_its_milestone_is_found(any_ward):
    any_ward.milestone()
    any_ward.sql("DELETE FROM policies")
    any_ward.sql("DELETE FROM milestones")
    (finding,) = any_ward.findings("journal-differs")
    assert finding.message == "There is a journal of M001, and no such milestone."


def test_an_end_that_does_not_say_of_what_is_found(any_ward):
    planned(any_ward)
    lease = any_ward.hold(stories.M)
    any_ward.store.commit(lease, [claimed(lease), e.DispatchStarted(dispatch=DispatchId("M001-D001"))])
    any_ward.store.commit(lease, [failed()])
    any_ward.sql("UPDATE events SET body = '{}' WHERE type = 'DispatchFailed'")
    (finding,) = any_ward.findings("journal-unpaired")
    assert "one without a name (0 claimed, 1 ended), M001-D001 (1 claimed, 0 ended)" in finding.message


def test_facts_from_the_future_are_found(any_ward):
    any_ward.store.driver.skew += 2 * 86400
    planned(any_ward)
    any_ward.store.driver.skew = 0.0
    (finding,) = any_ward.findings("future-time")
    assert (finding.severity, finding.scope) == (Severity.WARNING, "M001")
    assert "are dated in the future" in finding.message
    assert any_ward.findings("journal-differs") == []


# ---- targets ------------------------------------------------------------------------------------------------------


def test_a_target_that_was_deleted_is_found(any_ward):
    planned(any_ward)
    assert any_ward.findings("target-missing") == []
    any_ward.git("checkout", "--quiet", "-b", "other")
    any_ward.git("branch", "--quiet", "-D", "main")
    (finding,) = any_ward.findings("target-missing")
    assert (finding.severity, finding.scope) == (Severity.ERROR, "M001")
    assert finding.fix == f"git branch main {stories.BASE}"


# ---- all of them --------------------------------------------------------------------------------------------------

TABLES = (
    *("projects", "milestone_leases", "lease_history", "workers", "events", "milestones", "slices", "tasks"),
    *("unit_dispatches", "questions", "evidence", "policies", "usage", "blobs"),
    *("command_queue", "runtime_kv", "pause_records", "stop_requests"),
)


def test_looking_changes_no_row(any_ward):
    def rows() -> list[object]:
        with any_ward.store.driver.read() as tx:
            return [sorted(map(str, tx.all(f"SELECT * FROM {table}"))) for table in TABLES]  # noqa: S608 - constants

    planned(any_ward)
    lease = any_ward.hold_and_die(stories.M, "gone")
    any_ward.store.commit(lease, [claimed(lease)])
    any_ward.store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))
    before = rows()
    assert any_ward.codes() >= {"stale-worker", "paused"}
    assert rows() == before


def test_mending_everything_twice_mends_nothing_the_second_time(any_ward):
    planned(any_ward)
    lease = any_ward.hold_and_die(stories.M, "gone")
    any_ward.store.commit(lease, [claimed(lease)])
    other = any_ward.milestone()
    any_ward.hold(other, "w2")
    any_ward.sql("DELETE FROM workers WHERE id = 'w2'")
    first = any_ward.mend()
    assert {m.finding.code for m in first} >= {"stale-worker", "lease-without-worker", "projection-missing"}
    assert [m.why for m in first] == [""] * len(first)
    assert doctor.mend(any_ward.patient, any_ward.findings()) == ()
