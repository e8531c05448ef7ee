"""Every event of a conversation, one JSON line each, in the file before anything else happens."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from walkaway.core.errors import Cancelled, WalkawayError

Redact = Callable[[str], str]


class Transcript:
    """An open JSONL file; secrets are taken out of every text before it is written.

    Used as a context, its last line is ``{"event": "end", "how": …, "why": …}``, ``how`` being ``reported`` or the code
    of the error that ended it; a file without such a line was left by a killed process.
    """

    def __init__(self, path: str, redact: Redact, now: Callable[[], float]) -> None:
        """Open for appending, with the folders it needs; raise `OSError` where that is not possible."""
        self._redact = redact
        self._now = now
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._file: TextIO = Path(path).open("a", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed by __exit__

    def write(self, event: str, **members: object) -> None:
        """Append one event and flush it to the system."""
        line = {"t": round(self._now(), 3), "event": event}
        line |= {name: self._clean(value) for name, value in members.items()}
        self._file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
        self._file.flush()

    def __enter__(self) -> Self:
        """Return itself, open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say how it ended, and close the file."""
        how = "reported" if error is None else WalkawayError.code
        if isinstance(error, WalkawayError | asyncio.CancelledError):
            how = error.code if isinstance(error, WalkawayError) else Cancelled.code
        with self._file:
            self.write("end", how=how, why="" if error is None else str(error) or type(error).__name__)

    def _clean(self, value: object) -> object:
        """Return a JSON value with every text redacted by itself, so that the line stays valid JSON."""
        if isinstance(value, str):
            return self._redact(value)
        if isinstance(value, Mapping):
            return {self._redact(str(key)): self._named(str(key), item) for key, item in value.items()}
        if isinstance(value, Sequence):
            return [self._clean(item) for item in value]
        return value if value is None or isinstance(value, bool | int | float) else self._redact(str(value))

    def _named(self, key: str, value: object) -> object:
        """Redact a value, knowing its key: ``{"password": "x"}`` gives itself away by its name only."""
        if not isinstance(value, str):
            return self._clean(value)
        named = self._redact(f"{key}={value}")
        return named.removeprefix(f"{key}=") if named.startswith(f"{key}=") else self._redact(value)
