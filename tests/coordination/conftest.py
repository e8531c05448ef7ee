"""Either database, a stage on it, and an auditor that watches it from a process of its own as long as the test runs."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.coordination.actor import Actor, actors
from tests.coordination.audit import watching
from tests.coordination.stand import Stand
from tests.tiers import SOAK
from walkaway.chaos.plan import Plan
from walkaway.core.ids import ProjectId
from walkaway.store import Store, create

PROJECT = ProjectId("p")
HERE = Path(__file__).parent
Audited = Callable[[str], None]
Crew = Callable[[int], list[Actor]]
NewStage = Callable[..., Stand]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what takes seconds on one database, in turn, in `make check`: what starts workers; all of it is for `soak`."""
    twins: dict[str, list[pytest.Item]] = {}
    for item in items:
        params = getattr(item, "callspec", None)
        if HERE in item.path.parents and params and "new_stage" in getattr(item, "fixturenames", ()):
            database = params.params.get("database")
            twins.setdefault(item.nodeid.replace(f"[{database}", "["), []).append(item)
    pairs = [pair for pair in twins.values() if len(pair) == 2]
    left = [] if SOAK else [pair[n % 2] for n, pair in enumerate(pairs)]
    items[:] = [item for item in items if item not in left]


@pytest.fixture
def audited() -> Iterator[Audited]:
    """Return what begins to watch a database; the test fails at its end if anything was ever wrong there."""
    watched = []
    with ExitStack() as auditors:
        yield lambda url: watched.append(auditors.enter_context(watching(url)))
    for seen in watched:
        assert seen.looks, "the auditor never looked"
        assert seen.wrong == [], f"seen in {seen.looks} looks"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> str:
    """Return which database this is: ``sqlite`` or ``postgres``."""
    return request.param


@pytest.fixture
def store_url(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> str:
    """Return the URL of a fresh database."""
    return (
        f"sqlite://{tmp_path}/state/state.db" if database == "sqlite" else request.getfixturevalue("postgres_database")
    )


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Return the store of an empty project."""
    made = create(store_url, PROJECT, synchronous="NORMAL")
    yield made
    made.close()


@pytest.fixture
def crew(store: Store, store_url: str, audited: Audited) -> Iterator[Crew]:
    """Return a maker of processes that are workers of the store's project; the database is audited meanwhile."""
    audited(store_url)
    with ExitStack() as ends:
        yield lambda count: ends.enter_context(actors(store_url, store.project, count))


@pytest.fixture
def new_stage(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> Iterator[NewStage]:
    """Return a maker of audited stages on ``database``, the scripted model served; all of it ends with the test.

    The agents of the units that it is given wait at the stage's gate.
    """
    with ExitStack() as ends:
        audited: Audited = request.getfixturevalue("audited")

        def make(*gated: str, ttl_s: float = 2.0, checks: str = '["true"]', **plan: float) -> Stand:
            url = "" if database == "sqlite" else request.getfixturevalue("postgres_database")
            stage = Stand(root=tmp_path / "stage", plan=Plan(**plan), url=url, ttl_s=ttl_s, checks=checks)  # pyrefly: ignore
            stage.root.mkdir()
            ends.callback(stage.close)
            stage.set_up()
            ends.enter_context(stage.playing(stage.gated(*gated)))
            audited(stage.database)
            return stage

        yield make
