"""What the playback tests share: a script that is being served."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from walkaway.playback import running


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Serve the text of a script; give the base URL. The log is ``log.jsonl`` in the test's folder."""
    number = itertools.count()
    with ExitStack() as stack:

        def start(text: str) -> str:
            path = tmp_path / f"script{next(number)}.yaml"
            path.write_text(text)
            return stack.enter_context(running(path, tmp_path / "log.jsonl"))

        yield start
