"""An explicit-state explorer over the production's transitions of lease, dispatch, order and pause.

It goes breadth first through everything that a cast can do, to a stated depth, looks at each step by every rule and at
each content of the database by every probe. Two states that can only go on alike are visited once. Run it with
``python -m walkaway.testing.explorer``.
"""

import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from walkaway.core.errors import LeaseLost, StaleSnapshot, WalkawayError
from walkaway.core.ids import MilestoneId, slice_id
from walkaway.core.model import Policy, Seen
from walkaway.identity import me
from walkaway.store import schema
from walkaway.store.replay import fold
from walkaway.testing.explorer_cast import CASTS, PERSON, PROJECT, SCOPE, Cast, Hand, Scene, State, Taker
from walkaway.testing.explorer_facts import Facts, Key, Reader
from walkaway.testing.explorer_faults import FAULTS, Fault
from walkaway.testing.explorer_memory import Memory, Tables
from walkaway.testing.explorer_moves import Move, moves
from walkaway.testing.explorer_probes import Asked
from walkaway.testing.explorer_rules import Step, the_journal_tells_what_is, wrong
from walkaway.testing.moments import cut, pinned, planned

TOLD = ("milestones", "policies", "tasks", "unit_dispatches", "questions", "events", "pause_records", "stop_requests")
"""What the journal tells of."""


@dataclass(frozen=True, slots=True)
class Visit:
    """How a state was reached."""

    move: str = ""
    before: "Visit | None" = None
    depth: int = 0

    def trace(self) -> tuple[str, ...]:
        return (*self.before.trace(), self.move) if self.before else ()


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that does not hold, and a shortest way there."""

    words: str
    trace: tuple[str, ...]

    def __str__(self) -> str:
        return "\n  ".join([self.words, *self.trace])


@dataclass(slots=True, kw_only=True)
class Found:
    """What an exploration saw until it was done or something was broken."""

    cast: Cast
    depth: int
    states: int = 1
    transitions: int = 0
    probed: int = 0
    """Contents of the database that differ."""
    seconds: float = 0.0
    broken: Broken | None = None

    def __str__(self) -> str:
        rate = self.transitions / self.seconds
        return (
            f"{self.cast.name}: {self.states} states, {self.transitions} transitions, depth {self.depth}, "
            f"{self.probed} contents probed, {rate:.0f} transitions/s"
        )


class World:
    """One database, and everybody who uses it."""

    def __init__(self, sql: Sequence[str] = ()) -> None:
        self.memory = Memory()
        schema.upgrade(self.memory, schema.scripts())
        for statement in sql:
            self.memory.run(statement)
        schema.add_project(self.memory, PROJECT)
        self.reader = Reader(self.memory)

    def first(self, cast: Cast) -> State:
        """Return the state in which one task is to be done and two workers have begun."""
        store = Taker(self.memory, PROJECT)
        made = store.new_milestone("A tool", "Make a tool.", Policy(), PERSON)
        seen = Seen(project=PROJECT, scope=SCOPE, rev=store.snapshot(SCOPE).rev, who=PERSON)
        store.commit(seen, [pinned(), planned(MilestoneId(made)), cut(slice_id(made, 1))])
        hands = Hand(place="a"), Hand(place="b")
        for hand in hands:
            store.register(hand.id, me())
        tables = self.memory.tables({})
        return State(
            tables=tables,
            facts=self.reader.after(Facts(), {}, tables),
            now=self.memory.clock,
            hands=hands,
            left=cast.left,
            told=fold(PROJECT, SCOPE, store.journal({})),
            control=store.controls.read(),
        )

    def after(self, state: State) -> Iterator[tuple[Move, State, list[str]]]:
        """Yield every move, the state after it, in which the database is until the next, and what is wrong with it."""
        self.memory.load(state.tables)
        self.memory.clock = state.now
        for move in moves(state):
            with self.memory.taken_back():
                yield move, *self._made(state, move)

    def _made(self, state: State, move: Move) -> tuple[State, list[str]]:
        hand = state.hands[move.at] if move.at >= 0 else Hand(place="")
        store = Taker(self.memory, PROJECT)
        store._door._last = hand.door
        scene = Scene(memory=self.memory, store=store, before=state, hand=hand)
        self.memory.touched.clear()
        refused: WalkawayError | None = None
        try:
            move.do(scene)
        except WalkawayError as error:
            refused = error
            if isinstance(error, LeaseLost):
                scene.hand = scene.hand.without_lease()
            elif isinstance(error, StaleSnapshot) and scene.lease is not None:
                scene.hand = scene.hand.choosing(store.snapshot(SCOPE))
        tables = self.memory.tables(state.tables)
        facts = self.reader.after(state.facts, state.tables, tables)
        after = self._after(state, move, tables, facts, replace(scene.hand, door=store._door._last))
        step = Step(
            move=move,
            before=state,
            lease=scene.lease,
            returned=scene.returned,
            refused=refused,
            facts=facts,
            same=tables is state.tables,
        )
        said = list(wrong(step))
        if any(tables[name] is not state.tables[name] for name in TOLD):
            told, control, more = the_journal_tells_what_is(step, store.snapshot(SCOPE), store.controls.read())
            after, said = replace(after, told=told, control=control), said + more
        return after, said

    def _after(self, state: State, move: Move, tables: Tables, facts: Facts, hand: Hand) -> State:
        hands = list(state.hands)
        if move.at >= 0:
            hands[move.at] = hand if hand.up else replace(hand, door=None)
        left = {**state.left, move.cost: state.left[move.cost] - 1} if move.cost else state.left
        return replace(state, tables=tables, facts=facts, now=self.memory.clock, hands=tuple(hands), left=left)


def explore(cast: Cast, depth: int, sql: Sequence[str] = ()) -> Found:
    """Visit everything that ``cast`` can do in ``depth`` moves; end at the first promise that is broken.

    ``sql`` is done to the database at the start.
    """
    begun = time.perf_counter()
    found = Found(cast=cast, depth=depth)
    world = World(sql)
    first = world.first(cast)
    seen, probed, left = {first.keys()[0]}, set[Key](), set[Key]()
    queue = deque([(first, Visit())])
    while queue and not found.broken:
        state, visit = queue.popleft()
        if visit.depth == depth:
            continue
        for move, after, said in world.after(state):
            found.transitions += 1
            way = Visit(str(move), visit, visit.depth + 1)
            key, content, late = after.keys()
            asked = Asked(world.memory, after.facts)
            if not said and (present := (content, *_past(after.facts))) not in probed:
                probed.add(present)
                said.extend(asked.wrong())
            if not said and late not in left:
                left.add(late)
                said.extend(asked.way_out())
            if said:
                found.broken = Broken("; ".join(said), way.trace())
                break
            if key not in seen:
                seen.add(key)
                queue.append((after, way))
    found.states, found.probed, found.seconds = len(seen), len(probed), time.perf_counter() - begun
    return found


def _past(facts: Facts) -> Key:
    """Return what the probes ask about that decides nothing."""
    over = [held.ended_how for held in facts.lease_history if held.ended_how]
    ends = [d.status for d in facts.unit_dispatches if not d.live]
    return (*over[-2:], *ends[-1:], *sorted({o.status for o in facts.command_queue}))


def unlike(cast: Cast, depth: int) -> list[str]:
    """Return the ways to states that are taken for one though they do not go on alike, within ``depth`` moves."""
    world = World()
    first = world.first(cast)
    ways: dict[Key, set[Key]] = {}
    others: list[tuple[Key, State, Visit]] = []
    queue = deque([(first, Visit())])
    while queue:
        state, visit = queue.popleft()
        key = state.keys()[0]
        if key in ways:
            others.append((key, state, visit))
        elif visit.depth < depth:
            after = {str(move): next_ for move, next_, _ in world.after(state)}
            ways[key] = {next_.keys()[0] for next_ in after.values()}
            queue += [(next_, Visit(move, visit, visit.depth + 1)) for move, next_ in after.items()]
    return [
        " > ".join(visit.trace())
        for key, state, visit in others
        if {next_.keys()[0] for _, next_, _ in world.after(state)} - {key} != ways[key] - {key}
    ]


def hunt(fault: Fault) -> Found:
    """Explore, with the fault planted, what its cast can do in as many moves as `make check` allows."""
    cast = next(cast for cast in CASTS if cast.name == fault.cast)
    with fault.planted():
        return explore(cast, cast.check, fault.sql)


def main(*, soak: bool) -> int:
    """Explore with every cast, hunt every planted bug and print what was found; 1 where it is not as it should be."""
    seen = [explore(cast, cast.soak if soak else cast.check) for cast in CASTS]
    for found in seen:
        _say(f"{found}\n" + (f"BROKEN: {found.broken}\n" if found.broken else ""))
    hunted = [hunt(fault) for fault in FAULTS]
    for fault, found in zip(FAULTS, hunted, strict=True):
        depth = f"depth {len(found.broken.trace)}" if found.broken else "NOT FOUND"
        _say(f"planted: {fault.words} ({fault.cast}): {depth}\n")
    caught = sum(found.broken is not None for found in hunted)
    depths = ", ".join(f"{found.depth} ({found.cast.name})" for found in seen)
    _say(
        f"explored {sum(f.states for f in seen)} states, {sum(f.transitions for f in seen)} transitions, "
        f"depth {depths}, {caught} planted bugs found of {len(FAULTS)}\n"
    )
    return int(caught < len(FAULTS) or any(found.broken for found in seen))


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(soak="soak" in sys.argv[1:]))
