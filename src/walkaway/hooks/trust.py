"""Which hooks a person has looked at and trusts: by their content, in that person's own folder, not in the project."""

import hashlib
import json
import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from walkaway.core.errors import Usage
from walkaway.core.plan.hook import Hook

FILE_MOST = 16 << 20


class State(StrEnum):
    """What a person has said of a hook."""

    TRUSTED = "trusted"
    NEW = "new"
    CHANGED = "changed"


def files_of(hook: Hook, root: str) -> tuple[str, ...]:
    """Return the files of the project that a command line names, sorted, relative to ``root``."""
    return tuple(sorted(set(_named(hook.run, os.path.abspath(root)))))


def _named(command: str, root: str) -> Iterator[str]:
    for word in _words(command):
        for part in {word, word.partition("=")[2]} - {""}:
            path = os.path.normpath(os.path.join(root, part))
            if os.path.isfile(path) and (
                _inside(path, root) or _inside(os.path.realpath(path), os.path.realpath(root))
            ):
                yield os.path.relpath(path, root)


def _inside(path: str, root: str) -> bool:
    return path.startswith(root.rstrip(os.sep) + os.sep)


def _words(command: str) -> list[str]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:  # quotes that do not close: the shell will refuse it, and all of it is in the digest
        return command.split()


def digest(hook: Hook, root: str) -> str:
    """Return the SHA-256 over a hook: when and for which units it runs, its command, the project's files that it names.

    Raises `Usage` for a file that cannot be read or has more than 16 MiB.
    """
    told = hashlib.sha256(json.dumps([hook.when, hook.name, hook.units, hook.run]).encode())
    for name in files_of(hook, root):
        path = os.path.join(root, name)
        try:
            if os.path.getsize(path) > FILE_MOST:
                raise Usage(f"The hook '{hook.name}' names {name}, which is larger than 16 MiB.")
            content = Path(path).read_bytes()
        except OSError as error:
            raise Usage(f"The hook '{hook.name}' names {name}, which cannot be read: {error}.") from error
        told.update(json.dumps([name, len(content)]).encode() + content)
    return told.hexdigest()


@dataclass(frozen=True, slots=True)
class Trust:
    """What is trusted for the project at ``root``, in the file ``path`` of the user's own."""

    path: str
    root: str

    def of(self, hook: Hook) -> State:
        """Return what a person has said of a hook as it is now."""
        known = self._known().get(_key(hook))
        if known is None:
            return State.NEW
        return State.TRUSTED if known == digest(hook, self.root) else State.CHANGED

    def trust(self, hook: Hook) -> str:
        """Trust a hook as it is now, and return its digest."""
        made = digest(hook, self.root)
        self._write({**self._known(), _key(hook): made})
        return made

    def revoke(self, hook: Hook) -> None:
        """Trust a hook no longer; harmless twice."""
        self._write({name: kept for name, kept in self._known().items() if name != _key(hook)})

    def _known(self) -> Mapping[str, str]:
        """Return what is trusted here; `Usage` for a file that says something else than we write."""
        return self._all().get(os.path.realpath(self.root), {})

    def _all(self) -> dict[str, dict[str, str]]:
        try:
            found: object = json.loads(Path(self.path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise Usage(f"{self.path} cannot be read: {error}. Remove it, then trust your hooks anew.") from error
        projects = found.get("projects") if isinstance(found, dict) else None
        if not isinstance(projects, dict) or not all(isinstance(each, dict) for each in projects.values()):
            raise Usage(f"{self.path} is not what walkaway wrote there. Remove it, then trust your hooks anew.")
        return {
            str(root): {str(name): str(kept) for name, kept in names.items()}
            for root, names in projects.items()
            if isinstance(names, dict)
        }

    def _write(self, names: Mapping[str, str]) -> None:
        """Replace the file as a whole: whoever reads meanwhile finds the old one or the new."""
        text = json.dumps({"v": 1, "projects": {**self._all(), os.path.realpath(self.root): dict(names)}}, indent=2)
        fresh = f"{self.path}.{os.getpid()}"
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            with open(fresh, "w", encoding="utf-8") as sink:
                sink.write(text + "\n")
                sink.flush()
                os.fsync(sink.fileno())
            os.replace(fresh, self.path)
        except OSError as error:
            raise Usage(f"{self.path} cannot be written: {error}. Nothing was changed.") from error


def _key(hook: Hook) -> str:
    return f"{hook.when}:{hook.name}"
