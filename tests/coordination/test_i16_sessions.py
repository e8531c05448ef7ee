"""I16, I17, I18, I19: one session a milestone, given back only by its holder; pauses outlive kills; every way out is clean."""

import signal
from collections.abc import Callable

import pytest

from tests.coordination.conftest import Crew, NewStage
from tests.coordination.stand import TASK, Stand, family, lives, result, soon
from tests.coordination.test_i11_ends import each_start_has_one_end
from tests.tiers import tier
from walkaway import proc
from walkaway.core.fleet.pause import Pause
from walkaway.core.ids import PROJECT_SCOPE, WorkerId
from walkaway.store import Store
from walkaway.testing.store_bench import TTL, milestone

PATIENCE_S = 60.0
SIGTERM_S = 10.0

# ---- I16 -----------------------------------------------------------------------------------------------------------


def test_i16_of_eight_that_start_at_once_one_works_and_the_others_name_it(new_stage: NewStage) -> None:
    stage = new_stage(TASK, ttl_s=60.0, tasks=1)
    starters = [stage.start("auto", "--json", "--milestone", "M001") for _ in range(tier(4, 8))]
    stage.at_work()
    stage.waits()
    stage.until(lambda: sum(each.poll() is None for each in starters) == 1, "all but one have ended", PATIENCE_S)
    (works,) = [each for each in starters if each.poll() is None]
    for each in starters:
        if each is not works:
            assert each.poll() == 10
            (blocked,) = result(each.output())["blocked"]
            assert f"pid {works.pid}" in blocked["detail"], "it names who works"
            assert "walkaway stop" in blocked["detail"], "and how to end that"
    stage.kill(works)
    heir = stage.start("auto", "--json", "--milestone", "M001")
    soon(lambda: stage.statuses()[1:] == ["running"], "the next start succeeds at once", 5)
    stage.waits()
    stage.set_free()
    assert heir.wait(PATIENCE_S) == 0
    stage.all_is_well()


# ---- I17 -----------------------------------------------------------------------------------------------------------


def test_i17_a_release_that_comes_after_the_heir_leaves_it_its_lease(store: Store, crew: Crew) -> None:
    scope = milestone(store)
    old, heir = crew(2)
    assert old.do("acquire", scope, TTL) == 1
    old.stops("release", scope, fate="before release")
    store.revoke(scope, WorkerId(old.me), 1)
    assert heir.do("acquire", scope, TTL) == 2
    old.goes_on()
    assert old.said() is False
    assert store.holder(scope) == heir.me
    assert heir.do("renew", scope, TTL) >= 0


@pytest.mark.parametrize(("who", "token"), [("itself", 1), ("itself", 3), ("another", 2)])
def test_i17_neither_another_token_nor_another_worker_gives_a_lease_back(
    store: Store, crew: Crew, who: str, token: int
) -> None:
    scope = milestone(store)
    holder, other = crew(2)
    holder.do("acquire", scope, TTL)
    holder.do("release", scope)
    assert holder.do("acquire", scope, TTL) == 2
    other.do("share", scope, holder.me if who == "itself" else other.me, token)
    assert other.do("release", scope) is False
    assert store.revoke(scope, WorkerId(holder.me if who == "itself" else other.me), token) is False
    assert store.holder(scope) == holder.me


# ---- I18 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["before", "inside", "after"])
def test_i18_a_pause_whose_writer_is_killed_is_there_or_not_and_stays(store: Store, crew: Crew, where: str) -> None:
    dies, later = crew(2)
    dies.dies("pause", "lunch", fate=f"{where} pause")
    kept = store.controls.read().pauses
    assert [pause.reason for pause in kept.values()] == (["lunch"] if where == "after" else [])
    stands = "lunch" if where == "after" else "dinner"
    assert later.do("pause", "dinner") == stands, "what is paused already stays as it is"
    assert [pause.reason for pause in store.controls.read().pauses.values()] == [stands]


@pytest.mark.parametrize("where", ["before", "inside", "after"])
def test_i18_a_resume_that_is_killed_has_consumed_the_pause_with_the_lease_or_not_at_all(
    store: Store, crew: Crew, where: str
) -> None:
    scope = milestone(store)
    dies, heir = crew(2)
    store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))
    dies.dies("acquire", scope, TTL, PROJECT_SCOPE, fate=f"{where} acquire")
    consumed = where == "after"
    assert (not store.controls.read().pauses) is consumed
    assert (store.holder(scope) is not None) is consumed
    again = heir.do("acquire", scope, TTL, PROJECT_SCOPE)
    assert again == ("StaleSnapshot" if consumed else 1), "a pause is consumed once"


def test_i18_of_two_that_resume_at_once_one_does(store: Store, crew: Crew) -> None:
    both = crew(2)
    for n in range(tier(15, 500)):
        scopes = [milestone(store), milestone(store)]
        store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann", reason=str(n)))
        for each, scope in zip(both, scopes, strict=True):
            each.tell("acquire", scope, TTL, PROJECT_SCOPE)
        said = [each.said() for each in both]
        assert sorted(map(str, said)) == ["1", "StaleSnapshot"], "of two milestones, too: the record is one"
        assert store.controls.read().pauses == {}


@pytest.mark.soak
@pytest.mark.parametrize("fate", ["before pause", "inside pause", "after pause"])
def test_i18_a_command_pause_that_is_killed_says_nothing_that_is_not_so(new_stage: NewStage, fate: str) -> None:
    stage = new_stage(tasks=1)
    stage.dead(stage.fated(f"{fate} 1 {int(signal.SIGKILL)}", "pause", "--reason", "lunch"))
    paused = fate.startswith("after")
    assert stage.run("auto", "--json", "--max-units", "1").exit_code == (11 if paused else 0)
    if not paused:
        stage.walkaway("pause", "--reason", "lunch")
    stage.dead(stage.fated(f"before acquire 1 {int(signal.SIGKILL)}", "resume", "--json"))
    assert stage.run("auto", "--json").exit_code == 11, "a resume that failed leaves the record"
    two = [stage.start("resume", "--json"), stage.start("resume", "--json")]
    codes = sorted(each.wait(PATIENCE_S) or 0 for each in two)
    assert codes[0] == 0
    assert codes[1] in {2, 10}, "the other finds it resumed, or the milestone held"
    stage.all_is_well()


# ---- I19 -----------------------------------------------------------------------------------------------------------


def once(stage: Stand, auto: proc.Background) -> None:
    auto.signal(signal.SIGINT)
    stage.until(lambda: "Ctrl-C" in auto.output(), "it says that it drains", PATIENCE_S)
    stage.set_free()


def twice(stage: Stand, auto: proc.Background) -> None:
    auto.signal(signal.SIGINT)
    stage.until(lambda: "Ctrl-C" in auto.output(), "it says that it drains", PATIENCE_S)
    auto.signal(signal.SIGINT)


def terminated(_: Stand, auto: proc.Background) -> None:
    auto.signal(signal.SIGTERM)


def told(*words: str, drains: bool = False) -> Callable[[Stand, proc.Background], None]:
    def tell(stage: Stand, _: proc.Background) -> None:
        stage.walkaway(*words)
        if drains:
            stage.set_free()

    return tell


def out_of_time(_: Stand, __: proc.Background) -> None:
    pass


def limit(stage: Stand, _: proc.Background) -> None:
    stage.set_free()


LEAVING = ["commit:DispatchPaused", "release", "end_worker"]
WAYS_OUT = {
    "Ctrl-C": ((), once, 11, "completed"),
    "Ctrl-C twice": ((), twice, 11, "paused"),
    "SIGTERM": ((), terminated, 11, "paused"),
    "pause": ((), told("pause", drains=True), 11, "completed"),
    "pause --now": ((), told("pause", "--now"), 11, "paused"),
    "stop": ((), told("stop", drains=True), 11, "completed"),
    "stop --now": ((), told("stop", "--now"), 11, "paused"),
    "a time limit": (("--time-limit", "3s"), out_of_time, 15, "paused"),
    "so many units": (("--max-units", "3"), limit, 0, "completed"),
}


@pytest.mark.parametrize("way", tier(["Ctrl-C twice", "SIGTERM", "stop", "a time limit"], [*WAYS_OUT]))
def test_i19_every_way_out_leaves_no_row_no_lease_and_no_process(new_stage: NewStage, way: str) -> None:
    words, leave, code, status = WAYS_OUT[way]
    stage = new_stage(TASK, ttl_s=60.0, tasks=1)
    auto = stage.start("auto", "--json", *words)
    stage.at_work()
    stage.waits()
    below = family(auto)
    asked = stage.store.now()
    leave(stage, auto)
    assert auto.wait(PATIENCE_S) == code, auto.output()
    if way == "SIGTERM":
        assert stage.store.now() - asked < SIGTERM_S
    assert lives(below) == [], "no descendant survives"
    assert stage.statuses() == [status]
    stage.nothing_is_left()
    each_start_has_one_end(stage)
    stage.open()
    stage.completes(*(("resume", "--json") if way.startswith("pause") else ()))
    stage.all_is_well()


@pytest.mark.parametrize("point", tier(["commit:DispatchPaused", "release"], LEAVING))
@pytest.mark.parametrize("where", tier(["inside"], ["before", "inside", "after"]))
def test_i19_what_a_kill_on_the_way_out_leaves_the_next_start_settles(
    new_stage: NewStage, where: str, point: str
) -> None:
    stage = new_stage(TASK, ttl_s=60.0, tasks=1)
    auto = stage.fated(f"{where} {point} 1 {int(signal.SIGKILL)}")
    stage.at_work()
    stage.waits()
    auto.signal(signal.SIGTERM)
    stage.dead(auto)
    stage.open()
    stage.completes()
    settled = "canceled" if point.startswith("commit") and where != "after" else "paused"
    assert stage.statuses() == [settled, "completed"], "by whoever came to it"
    each_start_has_one_end(stage)
    stage.all_is_well()
