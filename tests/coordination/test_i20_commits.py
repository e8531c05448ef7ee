"""I20, I21, I22: what was committed stays reachable, milestones land one after the other, and clocks give no two holders."""

import signal

import pytest

from tests.coordination.conftest import Crew, NewStage
from tests.coordination.stand import Stand
from tests.coordination.test_i11_ends import each_start_has_one_end
from tests.tiers import tier
from walkaway.store import Store
from walkaway.testing.store_bench import TTL, milestone

PATIENCE_S = 90.0

# ---- I20 -----------------------------------------------------------------------------------------------------------

AROUND_GIT = [
    f"{side} {point}"
    for point in ("git commit 3", "git commit-tree 1", "git merge 1", "project 6", "git worktree 6", "git update-ref 2")
    for side in ("before", "after")
]


def reachable(stage: Stand) -> set[str]:
    """Return every commit that a ref reaches."""
    return set(stage.git("rev-list", "--all").split())


@pytest.mark.parametrize("point", tier([AROUND_GIT[4]], AROUND_GIT))
def test_i20_every_commit_of_before_a_kill_is_reachable_after_recovery_and_after_doctor(
    new_stage: NewStage, point: str
) -> None:
    stage = new_stage(tasks=1)
    stage.dead(stage.fated(f"{point} {int(signal.SIGKILL)}"))
    commits, logged = reachable(stage), set(stage.git("reflog", "--all", "--format=%H").split())
    stage.run("doctor", "--fix")
    assert commits <= reachable(stage), "doctor loses none"
    assert logged <= reachable(stage) | commits
    stage.completes()
    assert commits <= reachable(stage)
    stage.all_is_well()


# ---- I21 -----------------------------------------------------------------------------------------------------------

LANDING = ["before git merge 1", "after git merge 1", "before commit:DispatchCompleted 6"]


def test_i21_milestones_that_finish_at_once_land_one_after_the_other(new_stage: NewStage) -> None:
    many = tier(2, 4)
    stage = new_stage(milestones=many, tasks=1, ttl_s=10.0)
    for name in stage.plan.names():
        assert stage.run("auto", "--max-units", "5", "--milestone", name).exit_code == 0
    last = [stage.start("auto", "--json", "--milestone", name) for name in stage.plan.names()]
    assert [each.wait(PATIENCE_S) for each in last] == [0] * many, [each.output() for each in last]
    stage.all_is_well()
    integrated = [e for e in stage.journal() if e.type == "IntegrationPrepared"]
    assert len(integrated) >= many, "prepared again where the other came first"
    each_start_has_one_end(stage)


@pytest.mark.parametrize("point", tier(["before git merge 1"], LANDING))
def test_i21_a_worker_stopped_in_the_middle_of_landing_and_replaced_lands_nothing_more(
    new_stage: NewStage, point: str
) -> None:
    stage = new_stage(milestones=2, tasks=1, ttl_s=1.0)
    old = stage.fated(f"{point} {int(signal.SIGSTOP)}", "auto", "--json", "--milestone", "M001")
    stage.stopped(old)
    stage.lapsed()
    stage.completes()
    line, refs = stage.line(), stage.refs()
    old.signal(signal.SIGCONT)
    assert old.wait(PATIENCE_S) is not None
    assert stage.line() == line
    assert stage.refs()["refs/heads/main"] == refs["refs/heads/main"]
    stage.all_is_well()


# ---- I22 -----------------------------------------------------------------------------------------------------------

HOUR_S = 3600.0


@pytest.mark.parametrize("who", ["holder", "claimer", "both"])
@pytest.mark.parametrize("jump", [-HOUR_S, -1.5 * TTL, 1.5 * TTL, HOUR_S])
def test_i22_a_clock_that_jumps_gives_no_two_holders(store: Store, crew: Crew, who: str, jump: float) -> None:
    scope = milestone(store)
    holder, claimer = crew(2)
    assert holder.do("acquire", scope, TTL) == 1
    holder.do("pin", scope)
    for each, name in ((holder, "holder"), (claimer, "claimer")):
        if who in (name, "both"):
            each.do("skew", jump)
    token = claimer.do("acquire", scope, TTL)
    renewed = holder.do("renew", scope, TTL)
    taken = token == 2
    assert (renewed == "LeaseLost") is taken, "one of the two holds it"
    assert store.holder(scope) == (claimer.me if taken else holder.me)
    writes = [holder.do("claim", scope, "d1"), claimer.do("claim", scope, "d2") if taken else ""]
    assert writes == (["LeaseLost", "d2"] if taken else ["d1", ""]), "and one writes"
    assert taken is (who != "holder" and jump > TTL), "it is taken only by a clock that says that it has lapsed"


@pytest.mark.parametrize("jump", [-HOUR_S, HOUR_S])
def test_i22_a_holder_that_renews_keeps_its_lease_whatever_its_clock_does(
    store: Store, crew: Crew, jump: float
) -> None:
    scope = milestone(store)
    holder, claimer = crew(2)
    holder.do("acquire", scope, TTL)
    for n in range(tier(5, 100)):
        holder.do("jump", jump if n % 2 else -jump)
        assert holder.do("renew", scope, TTL) != "LeaseLost"
        assert claimer.do("acquire", scope, TTL) == 0
    assert store.holder(scope) == holder.me


@pytest.mark.parametrize("jump", [-HOUR_S, -61.0])
def test_i22_a_clock_that_is_set_back_makes_a_take_over_late_and_never_early(
    store: Store, crew: Crew, jump: float
) -> None:
    scope = milestone(store)
    holder, claimer = crew(2)
    holder.do("acquire", scope, TTL)
    claimer.do("skew", jump)
    assert claimer.do("acquire", scope, TTL) == 0
    claimer.do("skew", jump + TTL + 1)
    assert claimer.do("acquire", scope, TTL) == 0, "by its own clock it has waited for one TTL"
    claimer.do("skew", TTL + 1)
    assert claimer.do("acquire", scope, TTL) == 2


def test_i22_a_holder_that_a_jump_cost_its_lease_has_it_again_within_one_ttl(store: Store, crew: Crew) -> None:
    scope = milestone(store)
    holder, jumps = crew(2)
    holder.do("acquire", scope, TTL)
    jumps.do("skew", TTL + 1)
    assert jumps.do("acquire", scope, TTL) == 2
    jumps.do("skew", 0)
    assert holder.do("acquire", scope, TTL) == 0
    jumps.kill()
    assert holder.do("acquire", scope, TTL) == 3, "its taker is dead: at once"
    jumps = crew(1)[0]
    jumps.do("skew", 2 * TTL + 2)
    assert jumps.do("acquire", scope, TTL) == 4
    holder.do("skew", 3 * TTL + 3)
    assert holder.do("acquire", scope, TTL) == 5, "alive, but it does not renew: after one TTL"
