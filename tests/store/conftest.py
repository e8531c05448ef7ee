from collections.abc import Iterator

import pytest

from walkaway.core.ids import ProjectId
from walkaway.store import Store, create

PROJECT = ProjectId("p")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store_url(request, tmp_path) -> str:
    if request.param == "sqlite":
        return f"sqlite://{tmp_path}/state/state.db"
    return request.getfixturevalue("postgres_database")


@pytest.fixture
def store(store_url) -> Iterator[Store]:
    made = create(store_url, PROJECT)
    yield made
    made.close()
