"""Workflows that people write in YAML: where they lie, and what they become."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

from walkaway.core.errors import Usage
from walkaway.workflows.definition import Definition, about, read

__all__ = ["Definition", "Found", "about", "find", "listed", "read"]

SUFFIX = ".yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A workflow's file: its name, where it lies (``project``, ``user`` or ``bundled``) and its text."""

    name: str
    origin: str
    text: str


def find(wanted: str, folders: Sequence[tuple[str, str]]) -> Found:
    """Return the workflow of this name, or in this file; raise `Usage` where there is none.

    ``folders``: (origin, directory) in the order in which they are looked at, before those that come with walkaway.
    """
    if wanted.endswith((SUFFIX, ".yml")):
        return Found(name=os.path.basename(wanted).rpartition(".")[0], origin="file", text=_text(wanted))
    for found in _all(folders):
        if found.name == wanted:
            return found
    raise Usage(f"There is no workflow '{wanted}'; walkaway workflow list shows those there are.")


def listed(folders: Sequence[tuple[str, str]]) -> Sequence[Found]:
    """Return every workflow by name; of two with one name the first found, which is the one that runs."""
    by_name: dict[str, Found] = {}
    for found in _all(folders):
        by_name.setdefault(found.name, found)
    return [by_name[name] for name in sorted(by_name)]


def _all(folders: Sequence[tuple[str, str]]) -> Iterator[Found]:
    for origin, folder in folders:
        if os.path.isdir(folder):
            for name in sorted(os.listdir(folder)):
                if name.endswith(SUFFIX):
                    yield Found(name=name.removesuffix(SUFFIX), origin=origin, text=_text(os.path.join(folder, name)))
    for entry in sorted((files("walkaway.workflows") / "bundled").iterdir(), key=lambda e: e.name):
        if entry.name.endswith(SUFFIX):
            text = entry.read_text(encoding="utf-8")
            yield Found(name=entry.name.removesuffix(SUFFIX), origin="bundled", text=text)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read()
    except OSError as error:
        raise Usage(f"The workflow {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Usage(f"The workflow {path} is no UTF-8 text (byte {error.start}).") from error
