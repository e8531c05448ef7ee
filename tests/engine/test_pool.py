"""Several workers as processes: what they say is summed up, those that die are replaced, a word to stop reaches all."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.engine.conftest import NewWorld
from walkaway import proc
from walkaway.core.fleet.pause import Pause
from walkaway.core.ids import PROJECT_SCOPE, MilestoneId, WorkerId
from walkaway.engine.fleet.pool import CRASHES_MOST, Pool
from walkaway.engine.result import Ended, Progress, RunOptions, Status
from walkaway.testing.world import World

SAY = "import json, sys, signal, time\nsay = lambda **line: print(json.dumps(line), flush=True)\n"
UNIT = 'say(type="progress", kind="unit-done", unit="u", text="verified", usage={"usd": 0.5, "input_tokens": 7, "output_tokens": 3})\n'
BLOCKED = 'say(type="progress", kind="left", text="a question")\nsay(type="result", status="blocked")\n'


class Script:
    """Starts real processes that say what a script tells them, one script after the other, the last one for ever."""

    def __init__(self, folder: Path, *programs: str) -> None:
        self.folder = folder
        self.programs = list(programs)
        self.asked: list[Sequence[str]] = []

    def __call__(self, more: Sequence[str], log: Path) -> proc.Background:
        self.asked.append(more)
        program = self.programs.pop(0) if len(self.programs) > 1 else self.programs[0]
        return proc.Background([sys.executable, "-c", SAY + program, *more], self.folder, log)


def pool(world: World, script: Script, workers: int = 2) -> tuple[Pool, list[Progress]]:
    said: list[Progress] = []
    made = Pool(store=world.store, start=script, workers=workers, logs=str(world.state / "workers"), tell=said.append)
    return made, said


def ended(
    world: World, script: Script, options: RunOptions | None = None, workers: int = 2
) -> tuple[Ended, list[Progress]]:
    made, said = pool(world, script, workers)
    return made.run(options or RunOptions()), said


def test_what_the_workers_say_is_summed_up(new_world: NewWorld, tmp_path: Path) -> None:
    world = new_world(milestones=2)
    published = 'say(type="progress", kind="published", commit="c0ffee", text="main moved")\n'
    script = Script(tmp_path, UNIT + UNIT + published + BLOCKED, "print('not json')\n" + UNIT + BLOCKED, BLOCKED)

    result, said = ended(world, script)

    assert (result.status, result.detail, result.units, result.commits) == (
        Status.BLOCKED, "a question", 3, ("c0ffee",),
    )  # fmt: skip
    assert (result.usage.usd, result.usage.input_tokens, result.usage.output_tokens) == (1.0, 14, 6)
    assert {p.worker for p in said if p.kind == "unit-done"} == {1, 2}
    assert [p.text for p in said if p.kind == "note"] == ["not json"]
    assert not [p for p in said if p.kind == "left"]


def test_an_unknown_price_makes_the_sum_unknown(new_world: NewWorld, tmp_path: Path) -> None:
    world = new_world()
    unknown = UNIT.replace('"usd": 0.5', '"usd": None')
    result, _ = ended(world, Script(tmp_path, unknown + BLOCKED, BLOCKED))
    assert result.usage.usd is None


def test_no_worker_is_started_for_a_milestone_that_somebody_holds(new_world: NewWorld, tmp_path: Path) -> None:
    world = new_world(milestones=2)
    world.store.register(WorkerId("other"), proc.me())
    assert world.store.acquire(world.scope, WorkerId("other"), 60.0)
    script = Script(tmp_path, BLOCKED)
    result, _ = ended(world, script, RunOptions(milestone=world.id), workers=4)
    assert script.asked == []
    assert result.status is Status.BLOCKED


def test_a_worker_that_dies_is_replaced_and_one_that_finds_nothing_is_not(new_world: NewWorld, tmp_path: Path) -> None:
    script = Script(tmp_path, "sys.exit(1)", UNIT + BLOCKED, BLOCKED)
    result, said = ended(new_world(), script)
    assert result.status is Status.BLOCKED
    assert any("died without a word (exit code 1)" in p.text for p in said)
    assert len(script.asked) == 4, "the dead one, the one that worked, and one for each place that found nothing"


def test_workers_that_only_die_are_given_up(new_world: NewWorld, tmp_path: Path) -> None:
    script = Script(tmp_path, "sys.exit(1)")
    result, _ = ended(new_world(), script)
    assert result.status is Status.ERROR
    assert CRASHES_MOST <= len(script.asked) <= CRASHES_MOST + 1


def test_a_worker_that_died_is_not_how_the_run_ends_where_others_have_the_rest(
    new_world: NewWorld, tmp_path: Path
) -> None:
    world = new_world(milestones=2)
    busy = 'say(type="progress", kind="left", text="all have a worker")\nsay(type="result", status="limit")\n'
    result, _ = ended(world, Script(tmp_path, UNIT + "sys.exit(1)", busy))
    assert (result.status, result.detail) == (Status.LIMIT, "all have a worker")


def test_an_error_that_a_worker_reports_is_how_the_run_ends(new_world: NewWorld, tmp_path: Path) -> None:
    world = new_world(milestones=2)
    result, _ = ended(world, Script(tmp_path, 'say(type="result", status="error")\n', BLOCKED))
    assert result.status is Status.ERROR


def test_what_a_run_was_asked_for_is_passed_on_and_its_money_divided(new_world: NewWorld, tmp_path: Path) -> None:
    script = Script(tmp_path, BLOCKED)
    options = RunOptions(
        milestone=MilestoneId("M001"), target="dev", usd=3.0, seconds=60.0, wait=False, resume=PROJECT_SCOPE
    )
    ended(new_world(), script, options)
    (words,) = (" ".join(more) for more in script.asked[:1])
    assert words == (
        "--since 1 --resume * --milestone M001 --target dev --max-cost 1.500000 --time-limit 60.000 --no-wait"
    )


def test_while_the_project_is_paused_no_worker_is_started(new_world: NewWorld, tmp_path: Path) -> None:
    world = new_world()
    world.store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))
    script = Script(tmp_path, BLOCKED)
    result, _ = ended(world, script)
    assert script.asked == []
    assert result.status is Status.BLOCKED
    assert "M001" in result.detail


LISTENS = (
    "heard = lambda number, _frame: (say(type='progress', kind='left', text='told to'), "
    "say(type='result', status='cancelled'), sys.exit(11))\n"
    "signal.signal(signal.SIGINT, heard); signal.signal(signal.SIGTERM, heard)\n"
)


@pytest.mark.parametrize("word", [Pool.drain, Pool.cancel])
def test_a_word_to_stop_reaches_every_worker(
    new_world: NewWorld, tmp_path: Path, word: Callable[[Pool, str], None]
) -> None:
    world = new_world(milestones=2)
    made, said = pool(
        world, Script(tmp_path, LISTENS + "say(type='progress', kind='note', text='ready'); time.sleep(60)")
    )
    ready: list[Progress] = []

    def tell(progress: Progress) -> None:
        said.append(progress)
        ready.extend([progress] if progress.text == "ready" else [])
        if len(ready) == 2:
            word(made, "Enough.")

    made._tell = tell
    result = made.run(RunOptions())
    assert (result.status, result.detail) == (Status.CANCELLED, "Enough.")


def test_as_many_units_as_asked_for_end_the_run(new_world: NewWorld, tmp_path: Path) -> None:
    result, _ = ended(new_world(), Script(tmp_path, LISTENS + UNIT + UNIT + "time.sleep(60)"), RunOptions(units=2))
    assert (result.status, result.units) == (Status.LIMIT, 2)


def test_everything_complete_is_complete_whatever_workers_say(world: World, tmp_path: Path) -> None:
    world.run()
    result, _ = ended(world, Script(tmp_path, BLOCKED))
    assert result.status is Status.COMPLETE
    assert json.dumps(result.units) == "0"


def test_workers_that_can_write_nothing_are_told_by_their_exit_codes(new_world: NewWorld, tmp_path: Path) -> None:
    result, said = ended(new_world(milestones=3), Script(tmp_path, "sys.exit(10)"), workers=3)
    assert result.status is Status.BLOCKED
    assert "Is the disk full?" in result.detail
    assert not any("died without a word" in p.text for p in said)
