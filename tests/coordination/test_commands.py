"""pause, resume, stop, cancel, steer, workers, next and auto --workers, as a person runs them: real processes."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.tiers import tier
from walkaway.chaos.plan import Plan
from walkaway.chaos.stage import Stage, result_of, told
from walkaway.store import Store, connect

TASK = "execute-task M001/S01/T01"
Scene = Callable[..., Stage]


DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
woken = pytest.mark.parametrize("scene", tier(DATABASES[1:], DATABASES), indirect=True)
"""In `make check` what an order wakes runs on PostgreSQL, the rest on SQLite; in `make soak` all of it on both."""


@pytest.fixture(params=tier(["sqlite"], DATABASES))
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """Return a maker of stages on either database, the scripted model served; everything ends with the test."""
    made: list[Stage] = []
    served = []

    def make(**plan: object) -> Stage:
        url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_database")
        stage = Stage(root=tmp_path / "stage", plan=Plan(**{"tasks": 1, **plan}), url=url)  # pyrefly: ignore
        stage.root.mkdir()
        stage.set_up()
        playing = stage.playing()
        playing.__enter__()
        served.append(playing)
        made.append(stage)
        return stage

    yield make
    for stage in made:
        stage.end()
    for playing in served:
        playing.__exit__(None, None, None)


def workers(stage: Stage) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(stage.walkaway("workers", "--json"))["workers"]
    return found


def opened(stage: Stage) -> Store:
    return connect(stage.url or f"sqlite://{stage.place.database}", stage.place.project())


def at_work(stage: Stage, *units: str) -> None:
    """Wait until workers are at these units."""
    wanted = set(units or (TASK,))
    with closing(opened(stage)) as store:
        stage.until(lambda: wanted <= {w.unit for w in store.overview().workers}, f"workers are at {wanted}")


def statuses(stage: Stage, unit: str = TASK) -> list[str]:
    """Return how each run of a unit ended."""
    rows = json.loads(stage.walkaway("units", "--json"))["milestones"]["M001"]
    return [row["status"] for row in rows if row["unit"] == unit]


def test_a_pause_drains_and_a_resume_goes_on_with_what_was_left(scene: Scene) -> None:
    stage = scene(delay_s=0.3)
    auto = stage.start("auto", "--json", "--max-units", "20")
    at_work(stage)
    said = stage.walkaway("pause", "--reason", "lunch")
    assert "is paused by" in said
    assert "(lunch)" in said
    assert f"finishes {TASK}" in said
    assert auto.wait(60) == 11
    assert result_of(auto)["status"] == "paused"
    assert statuses(stage) == ["completed"]

    told_ = stage.query()
    assert told_["blocked"][0]["reason"] == "paused"
    assert told_["blocked"][0]["remedies"] == ["walkaway resume"]
    assert "(lunch)" in stage.walkaway("status")
    assert stage.run("auto", "--json").exit_code == 11, "a worker that comes later is held, too"

    done = stage.run("resume", "--json")
    assert done.exit_code == 0
    assert stage.run("resume").exit_code == 2, "there is nothing left to resume"


@woken
def test_a_pause_now_ends_the_unit_and_names_what_is_left_of_the_bounds(scene: Scene) -> None:
    stage = scene(delay_s=0.5)
    auto = stage.start("auto", "--json", "--max-units", "3")
    at_work(stage)
    stage.walkaway("pause", "--now")
    asked = len(stage.requests.read_text().splitlines())
    assert auto.wait(15) == 11
    assert statuses(stage) == ["paused"]
    assert len(stage.requests.read_text().splitlines()) == asked, "once it is answered no model call begins"
    with closing(opened(stage)) as store:
        (left,) = store.controls.read().pauses.values()
    assert (left.unit, left.milestone, left.units, left.units_left) == (TASK, "M001", 2, 1)
    shutil.rmtree(left.worktree)
    done = stage.run("resume", "--json")
    assert done.stderr.count("is missing; it is made again") == 1
    assert json.loads(done.output.splitlines()[-1])["status"] == "limit"
    assert json.loads(done.output.splitlines()[-1])["units"] == 1, "two of three units were done before the pause"


@pytest.mark.soak
def test_a_milestone_that_was_completed_meanwhile_is_no_longer_resumed(scene: Scene) -> None:
    stage = scene()
    assert stage.run("auto").exit_code == 0
    stage.walkaway("pause", "--milestone", "M001")
    done = stage.run("resume", "--json")
    assert done.exit_code == 0
    assert "M001 is complete by now" in done.stderr


@pytest.mark.soak
def test_a_stop_ends_the_run_and_the_next_one_begins_anew(scene: Scene) -> None:
    stage = scene(delay_s=0.3)
    auto = stage.start()
    at_work(stage)
    assert "is stopped" in stage.walkaway("stop")
    assert auto.wait(60) == 11
    assert statuses(stage) == ["completed"]
    assert workers(stage) == []
    assert stage.run("auto").exit_code == 0


@woken
def test_a_cancelled_unit_is_begun_again_and_words_reach_the_agent(scene: Scene) -> None:
    stage = scene(delay_s=0.5)
    auto = stage.start()
    at_work(stage)
    assert "was cancelled; its unit is begun again" in stage.walkaway("cancel")
    at_work(stage)
    assert "Said to the agent of" in stage.walkaway("steer", "mind the gap")
    assert auto.wait(60) == 0
    assert statuses(stage) == ["canceled", "completed"]
    said = [path.read_text() for path in (stage.project / ".walkaway" / "transcripts").glob("*.jsonl")]
    assert sum('"event":"steer","text":"mind the gap"' in text for text in said) == 1


def test_orders_without_a_worker_are_refused_in_words(scene: Scene) -> None:
    stage = scene()
    for words in (("cancel",), ("steer", "hello"), ("resume",), ("pause", "--milestone", "M009")):
        done = stage.run(*words)
        assert done.exit_code == 2, words
        assert done.stderr.startswith("walkaway: ")
    assert "No worker is at work" in stage.walkaway("workers")
    assert "no worker was at it" in stage.walkaway("stop")


def test_workers_shows_who_is_at_what_and_for_how_long(scene: Scene) -> None:
    stage = scene(delay_s=0.3)
    auto = stage.start()
    at_work(stage)
    (row,) = workers(stage)
    assert (row["pid"], row["status"], row["milestone"], row["unit"]) == (auto.pid, "active", "M001", TASK)
    assert row["fencing_token"] == 1
    assert 0 < float(str(row["lease_age_s"])) < 30
    assert 0 < float(str(row["lease_left_s"])) <= stage.ttl_s
    assert float(str(row["last_beat_s"])) < stage.ttl_s
    assert f"pid {auto.pid}" in stage.walkaway("workers")
    os.kill(auto.pid, signal.SIGKILL)
    auto.wait(10)
    assert [w["status"] for w in workers(stage)] == ["dead"]


@pytest.mark.soak
def test_steps_go_on_one_unit_at_a_time_and_auto_leaves_them(scene: Scene) -> None:
    stage = scene()
    for _ in range(2):
        assert stage.run("next").exit_code == 0
    assert stage.run("auto", "--json").exit_code == 0
    assert len(json.loads(stage.walkaway("units", "--json"))["milestones"]["M001"]) == len(stage.plan.units("M001"))


@woken
def test_several_workers_do_all_milestones_each_its_own(scene: Scene) -> None:
    stage = scene(milestones=3, delay_s=0.05)
    pool = stage.start("auto", "--json", "--workers", "3")
    assert pool.wait(120) == 0
    result = result_of(pool)
    assert (result["status"], result["units"]) == ("complete", 3 * len(stage.plan.units("M001")))
    assert len(result["commits"]) == 3
    by = {(line["worker"], line["text"]) for line in told(pool) if line.get("kind") == "milestone"}
    assert {milestone for _, milestone in by} == {"M001", "M002", "M003"}
    assert len({worker for worker, _ in by}) == 3
    assert stage.git("log", "--format=%s", "--min-parents=2") == ""
    assert sorted(stage.git("ls-tree", "--name-only", "main").split()) == sorted(
        ["README", *(name for m in stage.plan.names() for name in stage.plan.files(m))]
    )


@pytest.mark.soak
def test_a_worker_of_several_that_is_killed_is_replaced(scene: Scene) -> None:
    stage = scene(milestones=2, delay_s=0.2)
    pool = stage.start("auto", "--json", "--workers", "2")
    at_work(stage)
    victim = next(w for w in workers(stage) if w["unit"] == TASK)
    os.kill(int(str(victim["pid"])), signal.SIGKILL)
    assert pool.wait(120) == 0
    assert result_of(pool)["status"] == "complete"
    assert statuses(stage) == ["canceled", "completed"]


def test_several_workers_end_with_the_process_that_started_them(scene: Scene) -> None:
    stage = scene(milestones=2, delay_s=0.5)
    pool = stage.start("auto", "--json", "--workers", "2")
    at_work(stage, TASK, TASK.replace("M001", "M002"))
    pids = [int(str(w["pid"])) for w in workers(stage)]
    pool.signal(signal.SIGTERM)
    assert pool.wait(15) == 11
    assert result_of(pool)["status"] == "cancelled"
    assert workers(stage) == []
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)


def test_a_second_auto_joins_another_milestone_or_names_the_worker(scene: Scene) -> None:
    stage = scene(milestones=2, delay_s=0.3)
    first = stage.start("auto", "--json", "--milestone", "M001")
    at_work(stage)
    second = stage.run("auto", "--json", "--milestone", "M001")
    assert second.exit_code == 10
    detail = json.loads(second.output.splitlines()[-1])["blocked"][0]["detail"]
    assert f"pid {first.pid}" in detail
    assert "stop it with: walkaway stop" in detail
    joined = stage.run("auto", "--json", "--max-units", "1")
    assert json.loads(joined.output.splitlines()[-1])["units"] == 1
    assert first.wait(60) == 0


@pytest.mark.postgres
def test_a_clone_on_another_host_joins_the_project_by_its_id(postgres_database: str, tmp_path: Path) -> None:
    first = Stage(root=tmp_path / "first", plan=Plan(tasks=1), url=postgres_database)
    first.root.mkdir()
    first.set_up()
    project = first.place.project()
    second = Stage(root=tmp_path / "second", plan=Plan(tasks=1), url=postgres_database)
    second.root.mkdir()
    first.git("clone", "--quiet", str(first.project), str(second.project))
    assert second.run("init", "--project", "nobody-knows").exit_code == 2
    assert f"init --project {project}" in second.walkaway("init", "--project", project)
    assert second.query()["state"] == first.query()["state"]
    with second.playing():
        assert second.run("auto", "--max-units", "3").exit_code == 0
    with first.playing():
        done = first.run("auto")
    assert done.exit_code == 10
    assert "in the clone of another host" in done.output
    with second.playing():
        assert second.run("auto").exit_code == 0
