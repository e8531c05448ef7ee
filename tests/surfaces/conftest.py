"""A project on disk, and the command line run inside this process."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from walkaway import app
from walkaway.cli import main
from walkaway.core import events as e
from walkaway.core.ids import MilestoneId, Scope, WorkerId
from walkaway.core.model import Policy
from walkaway.init import initialise
from walkaway.layout import Layout
from walkaway.proc import me
from walkaway.store import Store

Json = dict[str, object]


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    def json(self) -> list[Json]:
        return [json.loads(line) for line in self.out.splitlines()]


Cli = Callable[..., Ran]


@pytest.fixture
def empty(tmp_path, monkeypatch) -> Path:
    """Return the working directory: an empty folder that is no project."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def place(empty) -> Layout:
    """Return a project, which is the working directory too."""
    return initialise(None).place


@pytest.fixture
def opened(place) -> app.App:
    made = app.build(place)
    yield made
    made.close()


@pytest.fixture
def walkaway(capsys, monkeypatch, empty) -> Cli:
    """Run a command line in this process and return how it ended and what it said."""

    def run(*args: str) -> Ran:
        capsys.readouterr()
        code = main.run(args)
        said = capsys.readouterr()
        os.environ.pop("WALKAWAY_PROJECT", None)
        return Ran(code, said.out, said.err)

    return run


def grow(store: Store, facts: Sequence[e.Event], title: str = "Ledger export") -> MilestoneId:
    """Make a milestone of which these facts are true; those that create it are the store's own."""
    made = store.new_milestone(title, f"# {title}\n\nWhat I want.\n", Policy(usd=25.0), "tester")
    worker = WorkerId("w1" if made == "M001" else f"w-{made}")
    store.register(worker, me())
    lease = store.acquire(Scope(made), worker, 60.0)
    assert lease is not None
    if facts:
        store.commit(lease, facts)
    store.release(lease)
    store.end_worker(worker)
    return made
