"""I29, on: a gate fails closed. Whatever is not its first answer leaves it pending, and nothing is done meanwhile."""

import json
import random
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.coordination.bench import staged
from tests.coordination.conftest import Audited
from tests.coordination.stand import TASK, Stand, result
from tests.tiers import tier
from walkaway.chaos.plan import USAGE, Json, Plan
from walkaway.commands import answer, gates
from walkaway.commands.command import Project
from walkaway.core.asking.gates import GateStatus, holds, status, wanted
from walkaway.core.asking.question import BY_POLICY, GATE_OPTIONS, OF_PROJECT
from walkaway.core.derive import Blocked, ask, derive
from walkaway.core.errors import IllegalTransition, StaleSnapshot, Usage, WalkawayError
from walkaway.core.events import QuestionAnswered, QuestionRaised
from walkaway.core.ids import Scope, UnitKey
from walkaway.core.model import Policy, Seen
from walkaway.store import Store, connect
from walkaway.store.replay import fold
from walkaway.testing.moments import claimed, fence, pinned
from walkaway.testing.store_bench import milestone, taken
from walkaway.units import UNITS

M1, M2 = Scope("M001"), Scope("M002")
GATE = "depth:M001"
NOT_CONFIRM = ("", " ", "Confirm", "CONFIRM", "confirm ", " confirm", "confirm\n", "yes", "y", "1", "true", "null", "ok",
               "confirm (Recommended)", "none of the above", "confirm,revise", '["confirm"]', "I confirm it.")  # fmt: skip


def person(store: Store, who: str = "ann") -> Project:
    return Project(store=store, policy=Policy(), who=who, keep=lambda _, __: None)


def asked(store: Store, scope: Scope, gate: str) -> None:
    """Ask a gate as an agent does: in the name of the lease."""
    lease = taken(store, scope)
    s = store.snapshot(scope)
    store.commit(lease, [QuestionRaised(question=ask(s, UnitKey("plan-milestone", scope), wanted(gate, "Is it so?")))])
    store.release(lease)


def pending(store: Store) -> list[str]:
    """Every gate that waits, by the table and, which has to be the same, by the journal."""
    waiting = []
    for row in store.overview().milestones:
        s = store.snapshot(Scope(row.id))
        told = fold(store.project, Scope(row.id), store.journal({}))
        assert told.questions == s.questions
        waiting += [q.gate for q in s.questions.values() if q.gate and q.open]
    return waiting


@pytest.fixture
def two(store: Store) -> Store:
    """Two milestones, each with its gate pending, and the project's own two."""
    for scope in (milestone(store), milestone(store)):
        lease = taken(store, scope)
        store.commit(lease, [pinned()])
        store.release(lease)
        asked(store, scope, f"depth:{scope}")
    for held in OF_PROJECT:
        asked(store, M1, f"depth:{held}")
    return store


ALL = ["depth:M001", "depth:PROJECT", "depth:REQUIREMENTS", "depth:M002"]


@pytest.mark.parametrize("words", NOT_CONFIRM)
def test_i29_an_answer_that_is_none_leaves_every_gate_pending(two: Store, words: str) -> None:
    for gate in ALL:
        for named in (gate, f"{gate} "):
            with pytest.raises(Usage):
                answer.run(person(two), answer.Form(question=named, words=words))
    s = two.snapshot(M1)
    seen = Seen(project=s.project, scope=M1, rev=s.rev, who="ann")
    with pytest.raises(IllegalTransition):
        two.commit(seen, [QuestionAnswered(question="M001-Q1", answer=words, who="ann")])
    assert pending(two) == ALL


@pytest.mark.parametrize(
    "gate", ["", "depth", "depth:", "depth:M003", "depth:M001/S01", "DEPTH:M001", "M001", "M001-Q9"]
)
def test_i29_an_unknown_gate_confirms_nothing(two: Store, gate: str) -> None:
    for does in (gates.confirm, gates.reopen):
        with pytest.raises(Usage):
            does(person(two), gates.Form(gate=gate))
    assert pending(two) == ALL


def test_i29_no_setting_confirms_a_gate(two: Store) -> None:
    s = two.snapshot(M1)
    seen = Seen(project=s.project, scope=M1, rev=s.rev, who="ann")
    with pytest.raises(IllegalTransition, match="by a person"):
        two.commit(seen, [QuestionAnswered(question="M001-Q1", answer="confirm", who=BY_POLICY)])
    assert pending(two) == ALL


@pytest.mark.parametrize("gate", ALL)
def test_i29_confirming_unlocks_only_what_the_gate_holds(two: Store, gate: str) -> None:
    gates.confirm(person(two), gates.Form(gate=gate))
    assert pending(two) == [other for other in ALL if other != gate]
    for scope in (M1, M2):
        s = two.snapshot(scope)
        assert holds(s, f"depth:{scope}") is (gate != f"depth:{scope}")
        free = scope == M2 and gate == "depth:M002"
        assert isinstance(derive(s, UNITS), Blocked) is not free
        lease = taken(two, scope)
        claim = claimed(fence(lease), "plan-milestone", scope, f"{scope}-D001")
        if free:
            two.commit(lease, [claim])
        else:
            with pytest.raises(IllegalTransition, match="waits for an answer"):
                two.commit(lease, [claim])


def test_i29_opening_a_gate_again_revokes_and_it_is_pending_as_before(two: Store) -> None:
    gates.confirm(person(two), gates.Form(gate=GATE))
    assert not holds(two.snapshot(M1), GATE)
    gates.reopen(person(two, "bob"), gates.Form(gate=GATE, reason="No."))
    assert pending(two) == ["depth:PROJECT", "depth:REQUIREMENTS", GATE, "depth:M002"]
    s = two.snapshot(M1)
    assert holds(s, GATE)
    assert [status(s, q) for q in s.questions.values() if q.gate == GATE] == [GateStatus.REVOKED, GateStatus.PENDING]
    assert "already" in gates.reopen(person(two), gates.Form(gate=GATE))
    with pytest.raises(Usage):
        answer.run(person(two), answer.Form(question="M001-Q1", words="confirm"))  # the asking that is over
    assert holds(two.snapshot(M1), GATE)


@pytest.mark.parametrize("seed", range(tier(4, 40)))
def test_i29_whatever_is_said_a_gate_is_open_only_if_its_last_word_is_confirm(store: Store, seed: int) -> None:
    rng, scope = random.Random(seed), milestone(store)
    asked(store, scope, GATE)
    last = ""
    for _ in range(30):
        words = rng.choice([*GATE_OPTIONS, *NOT_CONFIRM, "again"])
        with suppress(Usage):  # what is refused changes nothing: that is what is asked next
            if words == "again":
                gates.reopen(person(store), gates.Form(gate=GATE))
                last = ""
            else:
                answer.run(person(store), answer.Form(question=GATE, words=words))
                last = words
        assert holds(store.snapshot(scope), GATE) is (last != "confirm")
        assert (store.gate_pending(scope) == GATE) is (last == "")


@pytest.mark.parametrize("ways", [("confirm", "revise"), ("revise", "confirm"), ("confirm", "confirm")])
def test_i29_of_two_channels_that_answer_at_once_one_counts(store: Store, store_url: str, ways: Sequence[str]) -> None:
    scope = milestone(store)
    asked(store, scope, GATE)
    for turn in range(1, tier(6, 60)):
        said = race(store_url, store, [answering(words, f"{words}{n}") for n, words in enumerate(ways)])
        assert len([each for each in said if not each]) == 1, said
        q = store.snapshot(scope).questions[f"M001-Q{turn}"]
        assert f"{q.answer}{q.answered_by[-1]}" == q.answered_by
        answered = [e for e in store.journal({}) if e.type == "QuestionAnswered"]
        assert len(answered) == turn
        gates.reopen(person(store), gates.Form(gate=GATE))


def answering(words: str, who: str) -> Callable[[Store], None]:
    return lambda own: answer.run(person(own, who), answer.Form(question=GATE, words=words)) and None


def race(url: str, store: Store, channels: Sequence[Callable[[Store], None]]) -> list[str]:
    """Let each channel act on a connection of its own, at once; return what went wrong for each, "" for nothing."""
    barrier, said = threading.Barrier(len(channels)), dict[int, str]()

    def act(n: int, does: Callable[[Store], None]) -> None:
        own = connect(url, store.project)
        barrier.wait()
        try:
            does(own)
            said[n] = ""
        except (Usage, StaleSnapshot) as error:
            said[n] = str(error)
        except WalkawayError as error:
            said[n] = f"unexpected: {error}"
        own.close()

    threads = [threading.Thread(target=act, args=(n, does)) for n, does in enumerate(channels)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not [words for words in said.values() if words.startswith("unexpected")], said
    return list(said.values())


# ---- with processes ------------------------------------------------------------------------------------------------


def says(name: str, **args: object) -> Json:
    return {"tools": [{"name": name, "args": args}], "usage": USAGE}


ASK = says("ask", question="Is it so?", gate=GATE)
DATABASES = pytest.mark.parametrize("database", tier(["sqlite"], ["sqlite", "postgres"]))


@contextmanager
def stage_of(
    request: pytest.FixtureRequest, root: Path, database: str, before: dict[str, Sequence[Json]], **plan: int
) -> Iterator[Stand]:
    url = "" if database == "sqlite" else request.getfixturevalue("postgres_database")
    audited: Audited = request.getfixturevalue("audited")
    with staged(root, url, before=before, tasks=1, **plan) as stage:
        audited(stage.database)
        yield stage


@DATABASES
def test_i29_a_gate_survives_the_death_of_its_worker_and_holds_until_it_is_confirmed(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with stage_of(request, tmp_path / "stage", database, {"plan-milestone M001": [ASK]}, milestones=2) as stage:
        auto = stage.start()
        stage.until(lambda: stage.store.gate_pending(M1) == GATE, "the gate is asked")
        auto.signal(signal.SIGKILL)
        auto.wait()
        waiting = stage.snapshot(M1).questions
        auto = stage.start()
        assert auto.wait(60) == 10, auto.output()
        assert stage.snapshot(M2).milestone.status == "complete", "the other one is not held"
        assert stage.snapshot(M1).questions == waiting

        wrong = stage.root / "answers.json"
        for words in ("yes", "confirm (Recommended)", "confirm "):
            assert stage.run("answer", GATE, words).exit_code == 2
            wrong.write_text(json.dumps({GATE: words, "depth": "confirm", "M001": "confirm"}))
            assert stage.run("auto", "--answers", str(wrong)).exit_code == 2  # M001 is no question
            wrong.write_text(json.dumps({GATE: words, "depth": "confirm"}))
            assert stage.run("auto", "--json", "--answers", str(wrong)).exit_code == 10
        assert stage.run("gates", "confirm", "depth:M002").exit_code == 2
        assert stage.snapshot(M1).questions == waiting
        assert {d.failure for d in stage.snapshot(M1).dispatches.values()} <= {"cancelled", "lease-lost"}

        stage.walkaway("gates", "confirm", GATE)
        second = stage.start()  # the scripted agent asks again, and that revokes
        assert second.wait(60) == 10, second.output()
        assert [status(stage.snapshot(M1), q) for q in stage.snapshot(M1).questions.values()] == [
            GateStatus.REVOKED,
            GateStatus.PENDING,
        ]
        right = stage.root / "right.toml"
        right.write_text(f'"{GATE}" = "confirm"\n')
        done = stage.run("auto", "--json", "--answers", str(right))
        assert done.exit_code == 10, "what is written down confirms once: the agent asked a third time"
        assert [q.answered_by for q in stage.snapshot(M1).questions.values()][1] == "the answers file"


@DATABASES
def test_i29_a_file_of_answers_confirms_a_gate_in_the_conversation_that_asks_it(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with stage_of(request, tmp_path / "stage", database, {"plan-milestone M001": [ASK]}) as stage:
        right = stage.root / "right.toml"
        right.write_text(f'"{GATE}" = "confirm"\n')
        done = stage.run("auto", "--json", "--answers", str(right))
        assert done.exit_code == 0, done.output
        stage.all_is_well()


@DATABASES
def test_i29_a_gate_opened_while_an_agent_works_stops_its_next_call_shell_and_report_included(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    root = tmp_path / "stage"
    wait = Stand(root=root, plan=Plan()).gated(TASK)[TASK]
    tries = [
        *wait,
        says("bash", command="echo > by-shell.txt"),
        says("write", path="by-write.txt", content="x"),
        says("report", summary="s", narrative="n"),
        ASK,
    ]
    with stage_of(request, root, database, {TASK: tries}) as stage:
        first = stage.start()
        stage.waits()
        s = stage.snapshot(M1)
        question = ask(s, UnitKey("execute-task", "M001/S01/T01"), wanted(GATE, "Think again."))
        seen = Seen(project=s.project, scope=M1, rev=s.rev, who="ann")
        stage.store.commit(seen, [QuestionRaised(question=question)])
        stage.set_free()
        assert first.wait(60) == 10, first.output()
        assert stage.statuses() == ["paused"]
        checkout = next(Path(stage.place.worktrees).glob("M001*"))
        assert not (checkout / "by-shell.txt").exists()
        assert not (checkout / "by-write.txt").exists()
        assert stage.store.gate_pending(M1) == GATE
        assert result(first.output())["status"] == "blocked"

        stage.walkaway("gates", "confirm", GATE)
        assert stage.start().wait(60) == 0
        assert stage.statuses() == ["paused", "completed"]
