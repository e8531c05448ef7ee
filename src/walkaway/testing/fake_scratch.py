"""A checkout of the fake workspace that is there for a while."""

from collections.abc import Mapping
from contextlib import AbstractContextManager


class Scratch(AbstractContextManager[str]):
    """A directory for a while; no generator, whose end would come even if its worker died in the middle."""

    def __init__(self, directories: dict[str, dict[str, str]], path: str, files: Mapping[str, str]) -> None:
        """Lay ``files`` out at ``path`` when it begins."""
        self._directories = directories
        self._path = path
        self._files = files

    def __enter__(self) -> str:
        """Make the directory and return where it is."""
        self._directories[self._path] = dict(self._files)
        return self._path

    def __exit__(self, *_: object) -> None:
        """Remove it."""
        del self._directories[self._path]
