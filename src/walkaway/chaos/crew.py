"""The workers of a storm: real processes, started again whenever they end while there is work."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from walkaway import proc
from walkaway.chaos.stage import Stage, result_of
from walkaway.identity import descendants, stat

PACKAGE = os.path.dirname(os.path.dirname(__file__))

REST_S = 1.0
"""How long a place stays empty after its worker ended: less, and those that find nothing to do start all the time."""
SINGLE = ("auto", "--json")
POOL = ("auto", "--json", "--workers", "2")


@dataclass(slots=True)
class Place:
    """A place for one worker, or for one pool of two; ``process`` is who has it now."""

    words: tuple[str, ...]
    process: proc.Background | None = None
    free_at: float = 0.0
    """When the next one is started (monotonic seconds)."""
    once: bool = False
    """Whether nobody comes after this one."""

    @property
    def pool(self) -> bool:
        """Whether the process has workers below it."""
        return "--workers" in self.words


class Crew:
    """So many places; counts who was started and how each ended."""

    def __init__(self, stage: Stage, workers: int, *, pool: bool) -> None:
        """Have places for so many workers, two of them by a pool where ``pool`` says so; nobody is started yet."""
        singles = workers - 2 if pool and workers > 1 else workers
        self._stage = stage
        self._places = [Place(SINGLE) for _ in range(singles)]
        if singles < workers:
            self._places.append(Place(POOL))
        self.started = 0
        self.ends: Counter[str] = Counter()
        """How many processes ended how: a signal's name, or the status of their last line."""
        self.wrong: list[str] = []
        """Ends that must not be, in words."""

    def tend(self, now: float, *, work: bool) -> None:
        """Count those that ended; with ``work``, start others in their places."""
        for place in self._places:
            if place.process is not None and (code := place.process.poll()) is not None:
                self._count(place.process, code)
                place.process, place.free_at = None, now + REST_S
            if place.process is None and work and not place.once and now >= place.free_at:
                self._begin(place)
        self._places = [place for place in self._places if place.process is not None or not place.once]

    def also(self, *words: str) -> None:
        """Start a worker beside the others that is not replaced."""
        place = Place(words, once=True)
        self._places.append(place)
        self._begin(place)

    def runs(self, *words: str) -> bool:
        """Whether a worker that was started with these words is still at it."""
        return any(place.words == words and place.process is not None for place in self._places)

    @property
    def idle(self) -> bool:
        """Whether nobody is at work."""
        return all(place.process is None for place in self._places)

    def victims(self) -> Sequence[int]:
        """Return the process of every worker, those of a pool after the pool's own."""
        return [pid for place in self._places if place.process is not None for pid in _family(place)]

    def everybody(self, number: signal.Signals) -> None:
        """Send every one of them a signal."""
        for pid in self.victims():
            send(pid, number)

    def _begin(self, place: Place) -> None:
        self.started += 1
        place.process = self._stage.start(*place.words)

    def _count(self, process: proc.Background, code: int) -> None:
        if code < 0:
            self.ends[signal.Signals(-code).name] += 1
            return
        said = process.output()
        if interrupted_before_us(said):
            self.ends[signal.SIGINT.name] += 1
            return
        result = result_of(process)
        status = str(result.get("status", "no result"))
        self.ends[status] += 1
        if status in {"no result", "error"}:
            words = [line for line in said.splitlines() if line and not line.startswith("{")][-3:]
            why = json.dumps(result) if result else "no result"
            self.wrong.append(f"{process.log.name} ended with {code} ({why}): {' '.join(words) or 'not a word'}")


def interrupted_before_us(said: str) -> bool:
    """Whether Ctrl-C met Python while it started itself: no line of walkaway had run, and none could have listened."""
    lines = [line for line in said.splitlines() if line.strip()]
    return bool(lines) and lines[-1] == "KeyboardInterrupt" and PACKAGE not in said and "{" not in said


def _family(place: Place) -> Iterator[int]:
    if place.process is None or place.process.poll() is not None:
        return
    yield place.process.pid
    if place.pool:
        below = descendants(place.process.pid)
        yield from sorted(pid for pid in below if (seen := stat(pid)) and seen.parent == place.process.pid)


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process; nothing where it is gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def kill_all_below(pid: int) -> None:
    """Kill a process and all that it started, and they, at once: as when the machine loses power."""
    family = descendants(pid)
    for each in (pid, *family):
        send(each, signal.SIGKILL)
