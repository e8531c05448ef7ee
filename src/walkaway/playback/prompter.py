"""Which reply or error a request gets next, and the only state of the server: the errors given so far."""

from collections import Counter
from threading import Lock

from walkaway.playback.script import Failure, Place, Reply, Script

_NO_LINE = 400


class Prompter:
    """Gives each request its line; safe to ask from many threads."""

    def __init__(self, script: Script) -> None:
        """Start with no error given yet."""
        self._script = script
        self._given: Counter[Place] = Counter()
        self._lock = Lock()

    def answer(self, place: Place) -> Reply | Failure:
        """Return what the script says at ``place``; where it says nothing, an error that names the place."""
        if place.unit is None:
            return _no_line(place, "no text has a line 'Unit: <kind> <target> (attempt <n>)'")
        line = self._script.line_for(place)
        if line is None:
            return _no_line(place, "no entry of the script matches")
        if place.step > len(line.replies):
            return _no_line(place, f"the matching entry has {len(line.replies)} replies")
        failure = self._next_failure(place, line.failures[place.step])
        if failure is not None:
            return failure
        if place.step == len(line.replies):
            return _no_line(place, f"the matching entry has {len(line.replies)} replies")
        return line.replies[place.step]

    def _next_failure(self, place: Place, failures: tuple[Failure, ...]) -> Failure | None:
        due = [failure for failure in failures for _ in range(failure.times)]
        with self._lock:
            given = self._given[place]
            if given >= len(due):
                return None
            self._given[place] += 1
        return due[given]


def _no_line(place: Place, why: str) -> Failure:
    return Failure(status=_NO_LINE, message=f"playback: no line answers {place}: {why}.")
