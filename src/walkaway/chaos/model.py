"""The scripted model of a storm: slow, now and then out of order, and sometimes gone."""

import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from walkaway.chaos.plan import Json, Plan
from walkaway.chaos.stage import Stage

REFUSED = 0.2
"""Share of the units whose first request is refused with an error that passes."""
SLOW = 0.1
"""Share of the units whose first reply stops for a moment in the middle."""
ERRORS = (429, 503)


class Model:
    """Playback in a process of its own, on one port; it is started again whenever it should be there and is not."""

    def __init__(self, stage: Stage, plan: Plan, rng: random.Random) -> None:
        """Write what it says for every milestone of ``plan`` and serve that."""
        self._stage = stage
        self._whole = self._written("script", plan.script(_errors(plan, rng), _pauses(plan, rng)))
        self._cut = self._written("cut", plan.script(how={unit: {"cut": 1} for unit in _units(plan)}))
        self._script = self._whole
        self._up = True
        self._served = stage.serve(self._script)
        self._port = urlsplit(stage.answering(self._served)).port or 0

    def tend(self) -> None:
        """Start it again if it ended and is wanted."""
        if self._up and self._served.poll() is not None:
            self._served = self._stage.serve(self._script, self._port)

    def down(self) -> None:
        """Kill it; nobody answers until `up`."""
        self._up = False
        self._served.kill(0.0)

    def cut(self) -> None:
        """Have every first reply of a unit end half-way until `up`."""
        self._served.kill(0.0)
        self._script = self._cut

    def up(self) -> None:
        """Have it as it should be; harmless twice."""
        if self._script != self._whole:
            self._served.kill(0.0)
        self._script, self._up = self._whole, True
        self.tend()

    def refusals(self) -> Mapping[int, int]:
        """Return how many requests were answered with an error, by its status."""
        found: dict[int, int] = {}
        for line in self._stage.requests.read_text(encoding="utf-8").splitlines():
            status = int(json.loads(line)["status"])
            if status in ERRORS:
                found[status] = found.get(status, 0) + 1
        return found

    def _written(self, name: str, script: Json) -> Path:
        path = self._stage.root / f"{name}.yaml"
        path.write_text(json.dumps(script), encoding="utf-8")
        return path


def _units(plan: Plan) -> Iterable[str]:
    return (unit for milestone in plan.names() for unit in plan.units(milestone))


def _errors(plan: Plan, rng: random.Random) -> Mapping[str, list[Json]]:
    return {unit: [_error(rng)] for unit in _units(plan) if rng.random() < REFUSED}


def _error(rng: random.Random) -> Json:
    error: dict[str, object] = {"status": rng.choice(ERRORS)}
    if rng.random() < 0.5:  # noqa: PLR2004 - half of them say how long to wait
        error["retry_after"] = round(rng.uniform(0.1, 1.0), 2)
    return {"error": error, "times": rng.randint(1, 2)}


def _pauses(plan: Plan, rng: random.Random) -> Mapping[str, Json]:
    return {unit: {"hang": round(rng.uniform(0.2, 1.0), 2)} for unit in _units(plan) if rng.random() < SLOW}
