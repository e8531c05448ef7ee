"""Conformance of the engine's three ports: whoever writes an adapter, or a fake of one, runs this over it.

Import everything from here into a test module and give it a fixture per port: ``site`` (a `Site` with the file
``a.txt`` on ``main``), ``bench`` (a `CheckBench`) and ``stage`` (an `AgentStage`).
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from walkaway.core.errors import (
    Cancelled,
    CannotRun,
    Conflict,
    GitFailed,
    HookRefused,
    NotPublishable,
    StaleSnapshot,
    Usage,
)
from walkaway.core.ids import NO_SHA, DispatchId, MilestoneId, ProjectId, Scope, Sha, WorkerId
from walkaway.core.model import Lease, Result
from walkaway.engine.ports import Verifier
from walkaway.testing.port_suite_agent import AgentStage, Says, TestAgentPort
from walkaway.testing.repository import Site

__all__ = [
    "AgentStage",
    "CheckBench",
    "Says",
    "TestAgentPort",
    "TestLinePort",
    "TestPublishPort",
    "TestSealPort",
    "TestVerifierPort",
    "TestWorkspacePort",
]

PATIENCE_S = 30.0
M = MilestoneId("M001")


# ---- workspace ---------------------------------------------------------------------------------------------------


def lease(token: int = 1) -> Lease:
    """Return a lease under this token."""
    return Lease(
        project=ProjectId("p"), scope=Scope(M), worker_id=WorkerId("w"), epoch=1, fencing_token=token, expires_at=0.0
    )


def tip(site: Site, ref: str = "refs/heads/main") -> Sha:
    """Return where a ref is."""
    return site.see(ref)[0].sha


def sealed(site: Site, files: Mapping[str, str], token: int = 1, base: Sha = NO_SHA) -> Sha:
    """Return a commit of these files, made in the directory of a fence."""
    checkout = site.workspace.prepare(lease(token), base or tip(site), NO_SHA)
    for name, text in files.items():
        site.write(checkout.path, name, text)
    return site.workspace.seal(checkout, "execute-task M001/S01/T01: Do it\n\nWalkaway-Unit: x\n", work=True)


class TestWorkspacePort:
    def test_the_branch_that_the_user_has_checked_out_is_the_usual_target(self, site: Site) -> None:
        pin = site.workspace.pin(None)
        assert (pin.branch, pin.sha) == ("main", tip(site))

    def test_any_branch_can_be_pinned_by_name(self, site: Site) -> None:
        site.make_branch("release")
        assert site.workspace.pin("release").branch == "release"

    def test_a_branch_that_is_not_there_and_a_detached_head_are_usage_errors(self, site: Site) -> None:
        with pytest.raises(Usage):
            site.workspace.pin("nowhere")
        site.detach()
        with pytest.raises(Usage, match="--target"):
            site.workspace.pin(None)

    def test_a_commit_of_another_clone_is_not_here(self, site: Site) -> None:
        assert site.workspace.has(tip(site)) is True
        assert site.workspace.has(Sha("1" * 40)) is False

    def test_a_prepared_directory_has_the_files_of_its_base(self, site: Site) -> None:
        checkout = site.workspace.prepare(lease(), tip(site), NO_SHA)
        assert checkout.base == tip(site)
        assert dict(site.files(checkout.path)) == {"a.txt": "a\n"}

    def test_each_fence_has_a_directory_of_its_own(self, site: Site) -> None:
        one = site.workspace.prepare(lease(1), tip(site), NO_SHA)
        other = site.workspace.prepare(lease(2), tip(site), NO_SHA)
        assert one.path != other.path
        assert one.branch != other.branch

    def test_preparing_again_clears_what_a_run_left(self, site: Site) -> None:
        first = site.workspace.prepare(lease(), tip(site), NO_SHA)
        site.write(first.path, "left.txt", "left\n")
        again = site.workspace.prepare(lease(), tip(site), NO_SHA)
        assert again == first
        assert "left.txt" not in site.files(again.path)

    def test_refused_work_lies_uncommitted_in_the_next_attempt(self, site: Site) -> None:
        base = tip(site)
        refused = sealed(site, {"b.txt": "wrong\n"})
        checkout = site.workspace.prepare(lease(), base, refused)
        assert site.files(checkout.path)["b.txt"] == "wrong\n"
        site.write(checkout.path, "b.txt", "right\n")
        made = site.see(site.workspace.seal(checkout, "again\n", work=True))
        assert made[0].files["b.txt"] == "right\n"
        assert made[0].parent == base

    def test_what_a_hook_refused_is_salvaged_and_lies_uncommitted_in_the_next_attempt(self, site: Site) -> None:
        base = tip(site)
        site.refuse("tabs")
        with pytest.raises(HookRefused):
            sealed(site, {"b.txt": "tabs\n"})
        left = site.workspace.salvage(lease(), base)
        site.workspace.rescue(lease(), DispatchId("M001-D001"), left)
        checkout = site.workspace.prepare(lease(), base, left)
        assert dict(site.files(checkout.path)) == {"a.txt": "a\n", "b.txt": "tabs\n"}
        assert site.kept(left)
        site.write(checkout.path, "b.txt", "spaces\n")
        assert site.see(site.workspace.seal(checkout, "again\n", work=True))[0].parent == base

    def test_where_nothing_was_left_there_is_nothing_to_salvage(self, site: Site) -> None:
        assert site.workspace.salvage(lease(), tip(site)) == NO_SHA
        site.workspace.prepare(lease(), tip(site), NO_SHA)
        assert site.workspace.salvage(lease(), tip(site)) == NO_SHA

    def test_what_was_salvaged_and_never_recorded_is_kept_when_its_directory_goes(self, site: Site) -> None:
        checkout = site.workspace.prepare(lease(1), tip(site), NO_SHA)
        site.write(checkout.path, "b.txt", "b\n")
        left = site.workspace.salvage(lease(1), tip(site))
        assert site.workspace.release(lease(2), tip(site)) == ()
        assert site.kept(left)

    def test_a_clean_checkout_holds_one_commit_and_is_gone_afterwards(self, site: Site) -> None:
        work = sealed(site, {"b.txt": "b\n"})
        with site.workspace.clean_checkout(lease(), work, "integration") as path:
            assert dict(site.files(path)) == {"a.txt": "a\n", "b.txt": "b\n"}
        with site.workspace.clean_checkout(lease(), tip(site), "integration") as path:
            assert dict(site.files(path)) == {"a.txt": "a\n"}
        both = sealed(site, {"a.txt": "A\n", "c.txt": "c\n", "*.txt": "*\n"}, token=2)
        with site.workspace.clean_checkout(lease(), both, "proof", ("*.txt", "a.txt"), tip(site)) as path:
            assert dict(site.files(path)) == {"a.txt": "a\n", "c.txt": "c\n"}

    def test_changed_names_the_files_between_two_commits(self, site: Site) -> None:
        work = sealed(site, {"b.txt": "b\n", "a.txt": "other\n"})
        assert [site.workspace.changed(one, work) for one in (tip(site), work)] == [("a.txt", "b.txt"), ()]

    def test_a_file_of_a_commit_is_read_unless_it_is_missing_or_too_large(self, site: Site) -> None:
        work = sealed(site, {"list.txt": "- one\n- zwei ü\n"})
        assert site.workspace.read(work, "list.txt", 100) == "- one\n- zwei ü\n"
        assert site.workspace.read(work, "list.txt", 15) is None, "it has sixteen bytes"
        assert site.workspace.read(work, "list.txt", 16) is not None
        assert site.workspace.read(work, "other.txt", 100) is None
        assert site.workspace.read(tip(site), "list.txt", 100) is None
        with pytest.raises(GitFailed):
            site.workspace.read(Sha("1" * 40), "list.txt", 100)


class TestSealPort:
    def test_sealed_work_is_one_commit_on_its_base(self, site: Site) -> None:
        base = tip(site)
        made = site.see(sealed(site, {"b.txt": "b\n"}))
        assert made[0].parent == base
        assert dict(made[0].files) == {"a.txt": "a\n", "b.txt": "b\n"}
        assert "Walkaway-Unit: x" in made[0].message
        assert tip(site) == base

    def test_where_nothing_changed_the_commit_is_empty_but_there(self, site: Site) -> None:
        made = site.see(sealed(site, {}))
        assert made[0].parent == tip(site)
        assert dict(made[0].files) == {"a.txt": "a\n"}

    def test_without_work_nothing_of_the_directory_is_taken_and_no_hook_asked(self, site: Site) -> None:
        site.refuse("tabs")
        checkout = site.workspace.prepare(lease(), tip(site), NO_SHA)
        site.write(checkout.path, "b.txt", "tabs\n")
        made = site.see(site.workspace.seal(checkout, "plan\n", work=False))
        assert made[0].parent == checkout.base
        assert dict(made[0].files) == {"a.txt": "a\n"}

    def test_the_hook_of_the_repository_may_refuse_and_its_words_are_in_the_error(self, site: Site) -> None:
        site.refuse("tabs")
        with pytest.raises(HookRefused, match="no tabs, please"):
            sealed(site, {"b.txt": "tabs\n"})
        assert sealed(site, {"b.txt": "spaces\n"})

    def test_units_in_one_directory_seal_one_after_the_other(self, site: Site) -> None:
        first = sealed(site, {"b.txt": "b\n"})
        second = site.see(sealed(site, {"c.txt": "c\n"}, base=first))
        assert second[0].parent == first
        assert sorted(second[0].files) == ["a.txt", "b.txt", "c.txt"]


class TestLinePort:
    def test_the_line_points_where_it_is_told_however_often(self, site: Site) -> None:
        work = sealed(site, {"b.txt": "b\n"})
        for _ in range(2):
            site.workspace.advance_line(M, work, NO_SHA)
        assert tip(site, "refs/walkaway/M001") == site.workspace.line(M) == work

    def test_who_has_not_seen_where_the_line_is_cannot_take_it_back(self, site: Site) -> None:
        first, second = sealed(site, {"b.txt": "b\n"}), sealed(site, {"c.txt": "c\n"}, token=2)
        site.workspace.advance_line(M, first, site.workspace.line(M))
        site.workspace.advance_line(M, second, first)
        with pytest.raises(StaleSnapshot):
            site.workspace.advance_line(M, first, NO_SHA)
        assert site.workspace.line(M) == second

    def test_what_is_rescued_stays_reachable_however_often(self, site: Site) -> None:
        work = sealed(site, {"b.txt": "b\n"})
        for _ in range(2):
            site.workspace.rescue(lease(), DispatchId("M001-D001"), work)
        site.workspace.prepare(lease(), tip(site), NO_SHA)
        assert site.kept(work)

    def test_released_directories_are_gone_and_every_commit_of_theirs_is_kept(self, site: Site) -> None:
        lost, landed = sealed(site, {"b.txt": "b\n"}, token=1), sealed(site, {"c.txt": "c\n"}, token=2)
        site.workspace.advance_line(M, landed, NO_SHA)
        assert site.workspace.release(lease(3), landed) == ()
        assert site.kept(lost)
        assert site.kept(landed)
        assert site.workspace.release(lease(3), landed) == ()

    def test_a_directory_with_ignored_files_is_kept_and_named(self, site: Site) -> None:
        checkout = site.workspace.prepare(lease(1), tip(site), NO_SHA)
        site.write(checkout.path, "trace.log", "x\n")
        assert site.workspace.release(lease(2), tip(site)) == (checkout.path,)
        assert site.files(checkout.path)["trace.log"] == "x\n"

    def test_ignored_files_survive_preparing_and_are_in_no_commit(self, site: Site) -> None:
        first = sealed(site, {"b.txt": "b\n", "trace.log": "x\n"})
        assert "trace.log" not in site.see(first)[0].files
        assert "trace.log" in site.files(site.workspace.prepare(lease(), first, NO_SHA).path)

    def test_a_directory_of_a_newer_fence_is_left_alone(self, site: Site) -> None:
        mine = site.workspace.prepare(lease(5), tip(site), NO_SHA)
        site.workspace.release(lease(4), tip(site))
        assert dict(site.files(mine.path)) == {"a.txt": "a\n"}


class TestPublishPort:
    def test_integration_is_one_commit_on_the_target_and_moves_nothing(self, site: Site) -> None:
        work = sealed(site, {"c.txt": "c\n"}, base=sealed(site, {"b.txt": "b\n"}))
        theirs = site.move("main", {"d.txt": "d\n"})
        made = site.see(site.workspace.integrate(theirs, work, "M001: All of it\n"))
        assert made[0].parent == theirs
        assert sorted(made[0].files) == ["a.txt", "b.txt", "c.txt", "d.txt"]
        assert made[0].message.startswith("M001: All of it")
        assert tip(site) == theirs

    def test_a_conflict_names_the_file(self, site: Site) -> None:
        work = sealed(site, {"b.txt": "ours\n"})
        theirs = site.move("main", {"b.txt": "theirs\n"})
        with pytest.raises(Conflict, match=r"b\.txt"):
            site.workspace.integrate(theirs, work, "M001\n")

    def test_publishing_moves_the_target_once_and_again_is_nothing(self, site: Site) -> None:
        base = tip(site)
        made = site.workspace.integrate(base, sealed(site, {"b.txt": "b\n"}), "M001\n")
        for _ in range(2):
            site.workspace.publish("main", base, made)
            assert tip(site) == made

    def test_a_target_that_went_on_from_the_published_commit_needs_nothing(self, site: Site) -> None:
        base = tip(site)
        made = site.workspace.integrate(base, sealed(site, {"b.txt": "b\n"}), "M001\n")
        site.workspace.publish("main", base, made)
        later = site.move("main", {"c.txt": "c\n"})
        site.workspace.publish("main", base, made)
        assert tip(site) == later

    def test_a_branch_that_nobody_has_checked_out_is_moved_too(self, site: Site) -> None:
        site.make_branch("release")
        base = tip(site)
        made = site.workspace.integrate(base, sealed(site, {"b.txt": "b\n"}), "M001\n")
        site.workspace.publish("release", base, made)
        assert tip(site, "refs/heads/release") == made
        assert tip(site) == base

    def test_a_target_that_moved_is_stale(self, site: Site) -> None:
        base = tip(site)
        made = site.workspace.integrate(base, sealed(site, {"b.txt": "b\n"}), "M001\n")
        theirs = site.move("main", {"d.txt": "d\n"})
        with pytest.raises(StaleSnapshot):
            site.workspace.publish("main", base, made)
        assert tip(site) == theirs

    def test_a_target_that_was_deleted_is_stale(self, site: Site) -> None:
        base = tip(site)
        made = site.workspace.integrate(base, sealed(site, {"b.txt": "b\n"}), "M001\n")
        site.drop_branch("main")
        with pytest.raises(StaleSnapshot):
            site.workspace.publish("main", base, made)
        with pytest.raises(Usage):
            site.workspace.pin("main")

    def test_a_file_of_the_users_in_the_way_stops_it_and_is_named(self, site: Site) -> None:
        base = tip(site)
        made = site.workspace.integrate(base, sealed(site, {"a.txt": "ours\n"}), "M001\n")
        site.edit("a.txt", "the user's\n")
        with pytest.raises(NotPublishable) as caught:
            site.workspace.publish("main", base, made)
        assert caught.value.files == ("a.txt",)
        assert tip(site) == base


# ---- verifier ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckBench:
    """A verifier, a checkout for it, and commands that do what their names say.

    ``hangs`` runs for longer than anybody waits and calls ``hanging`` when it began; ``counted`` is a set-up command
    that succeeds, and ``count`` says how often it ran. ``touch_lock`` changes a lock file.
    """

    verifier: Verifier
    path: str
    passes: str
    fails: str
    hangs: str
    missing: str
    counted: str
    count: Callable[[], int]
    wait_for_hanging: Callable[[], None]
    touch_lock: Callable[[], None]


class TestVerifierPort:
    def run(self, bench: CheckBench, command: str, timeout_s: float = PATIENCE_S) -> Result:
        done = bench.verifier.run(command, bench.path, timeout_s, threading.Event())
        assert done.command == command
        assert done.duration_ms >= 0
        return done.result

    def test_five_words_say_what_a_command_did(self, bench: CheckBench) -> None:
        assert self.run(bench, bench.passes) is Result.PASS
        assert self.run(bench, bench.fails) is Result.FAIL
        assert self.run(bench, bench.missing) is Result.CANNOT_RUN
        assert self.run(bench, bench.hangs, timeout_s=0.2) is Result.TIMEOUT

    def test_a_failure_has_its_exit_code_and_its_output(self, bench: CheckBench) -> None:
        done = bench.verifier.run(bench.fails, bench.path, PATIENCE_S, threading.Event())
        assert done.exit_code
        assert done.output

    def test_a_command_that_never_ended_has_no_exit_code(self, bench: CheckBench) -> None:
        assert bench.verifier.run(bench.hangs, bench.path, 0.2, threading.Event()).exit_code is None

    def test_a_check_ends_when_it_is_cancelled(self, bench: CheckBench) -> None:
        cancel, ended = threading.Event(), list[bool]()

        def check() -> None:
            with pytest.raises(Cancelled):
                bench.verifier.run(bench.hangs, bench.path, PATIENCE_S, cancel)
            ended.append(True)

        thread = threading.Thread(target=check)
        thread.start()
        bench.wait_for_hanging()
        cancel.set()
        thread.join(PATIENCE_S)
        assert ended == [True]

    def test_what_is_configured_is_what_is_run_and_none_is_none(self, bench: CheckBench) -> None:
        assert bench.verifier.checks(bench.path, (bench.passes, bench.fails)) == (bench.passes, bench.fails)
        assert bench.verifier.checks(bench.path, ()) == ()

    def set_up(self, bench: CheckBench, *commands: str, again: bool = False) -> list[str]:
        done = bench.verifier.set_up(bench.path, commands, PATIENCE_S, threading.Event(), again=again)
        return [each.command for each in done]

    def test_a_set_up_runs_once_per_checkout_and_again_on_demand_or_for_another_lock_file(
        self, bench: CheckBench
    ) -> None:
        assert self.set_up(bench, bench.counted) == [bench.counted]
        assert self.set_up(bench, bench.counted) == []
        assert bench.count() == 1
        assert self.set_up(bench, bench.counted, again=True) == [bench.counted]
        bench.touch_lock()
        assert self.set_up(bench, bench.counted) == [bench.counted]
        assert bench.count() == 3

    def test_no_set_up_is_nothing_to_do(self, bench: CheckBench) -> None:
        assert self.set_up(bench) == []
        assert self.set_up(bench, again=True) == []

    def test_a_set_up_that_fails_is_named_and_runs_again_next_time(self, bench: CheckBench) -> None:
        for _ in range(2):
            with pytest.raises(CannotRun, match="set-up command"):
                self.set_up(bench, bench.fails)
        assert self.set_up(bench, bench.counted) == [bench.counted]
