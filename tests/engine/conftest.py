"""Worlds on real stores."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from walkaway.core.ids import ProjectId
from walkaway.doctor import journal
from walkaway.doctor.check import Patient
from walkaway.store import Store, create
from walkaway.testing.world import World

NewStore = Callable[[], Store]
NewWorld = Callable[..., World]


@pytest.fixture
def new_store(tmp_path: Path) -> Iterator[NewStore]:
    """Return a maker of empty stores on SQLite, closed at the end."""
    yield from _stores(lambda: f"sqlite://{tmp_path / uuid4().hex / 'state.db'}")


@pytest.fixture
def new_postgres_store(postgres: Callable[[], str]) -> Iterator[NewStore]:
    """Return a maker of empty stores on PostgreSQL, each a project of its own in one database."""
    url = postgres()
    yield from _stores(lambda: url)


def _stores(url: Callable[[], str]) -> Iterator[NewStore]:
    made: list[Store] = []

    def new() -> Store:
        made.append(create(url(), ProjectId(uuid4().hex), synchronous="NORMAL"))
        return made[-1]

    yield new
    unhealthy = [found for store in made for found in journal.finds(Patient(root="", state="", store=store))]
    for store in made:
        store.close()
    assert unhealthy == [], "the journal tells everything, and nothing else"


@pytest.fixture
def new_world(new_store: NewStore, tmp_path: Path) -> NewWorld:
    """Return a maker of worlds on SQLite."""
    return lambda **how: World(new_store(), tmp_path / uuid4().hex, **how)


@pytest.fixture
def new_postgres_world(new_postgres_store: NewStore, tmp_path: Path) -> NewWorld:
    """Return a maker of worlds on PostgreSQL."""
    return lambda **how: World(new_postgres_store(), tmp_path / uuid4().hex, **how)


@pytest.fixture
def world(new_world: NewWorld) -> World:
    """Return a world with one milestone, not begun."""
    return new_world()
