"""Read a playback script from its YAML file, and say in a sentence what is wrong with it."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import yaml

from walkaway.playback.script import Call, Failure, Line, Reply, Script, ScriptError, Usage

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_REPLY_KEYS = ("text", "thinking", "tools", "delay", "usage", "cut", "hang")
_FAILURE_KEYS = ("error", "times", "delay")
_SAYS_SOMETHING = ("text", "thinking", "tools", "hang", "error")
_LONGEST_S = 86_400
_LOWEST_STATUS, _HIGHEST_STATUS = 400, 599


def load(path: Path | str) -> Script:
    """Return the script in the file ``path``; raise `ScriptError` where it cannot be read or is not valid."""
    try:
        document: object = yaml.load(Path(path).read_bytes(), Loader=_Loader)  # noqa: S506 - a safe loader
    except OSError as error:
        raise ScriptError(f"The script {path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScriptError(f"The script {path} is not YAML: {error}") from error
    try:
        return parse(document)
    except ScriptError as error:
        raise ScriptError(f"The script {path} is not valid. {error}") from error


def parse(document: object) -> Script:
    """Return the script that a YAML document holds; raise `ScriptError` naming the entry and the key."""
    top = _entry("The script", document, ("units",))
    return Script(lines=tuple(_line(where, item) for where, item in top.items("units", "units")))


def _line(where: str, value: object) -> Line:
    entry = _entry(where, value, ("unit", "attempt", "when", "say"))
    words = entry.text("unit", needed=True).split()
    if len(words) != len(("kind", "target")):
        raise entry.wrong("unit", "a kind and a target, as in 'execute-task M001/S01/T01' or 'execute-task *'")
    replies: list[Reply] = []
    failures: list[list[Failure]] = [[]]
    for at, item in entry.items("say", f"{where}.say"):
        said = _said(at, item)
        if isinstance(said, Failure):
            failures[-1].append(said)
        else:
            replies.append(said)
            failures.append([])
    return Line(
        kind=words[0],
        target=words[1],
        attempt=entry.whole("attempt", least=1),
        replies=tuple(replies),
        failures=tuple(map(tuple, failures)),
        when=entry.text("when"),
    )


def _said(where: str, value: object) -> Reply | Failure:
    failing = isinstance(value, dict) and "error" in value
    entry = _entry(where, value, _FAILURE_KEYS if failing else _REPLY_KEYS)
    if not any(key in entry.fields for key in _SAYS_SOMETHING):
        raise ScriptError(f"{where} says nothing: it needs one of the keys {', '.join(_SAYS_SOMETHING)}.")
    return _failure(entry) if failing else _reply(entry)


def _reply(entry: "_Entry") -> Reply:
    tools = entry.items("tools", f"{entry.where}.tools") if "tools" in entry.fields else []
    return Reply(
        text=entry.text("text"),
        thinking=entry.text("thinking"),
        calls=tuple(_call(where, item) for where, item in tools),
        usage=_usage(f"{entry.where}.usage", entry.fields.get("usage", {})),
        delay=entry.seconds("delay") or 0.0,
        hang=entry.seconds("hang") or 0.0,
        cut=entry.whole("cut"),
    )


def _failure(entry: "_Entry") -> Failure:
    error = _entry(f"{entry.where}.error", entry.fields["error"], ("status", "retry_after", "message"))
    status = error.whole("status")
    if status is None or not _LOWEST_STATUS <= status <= _HIGHEST_STATUS:
        raise error.wrong("status", f"an HTTP status from {_LOWEST_STATUS} to {_HIGHEST_STATUS}")
    return Failure(
        status=status,
        message=error.text("message") or f"playback: the script answers with status {status} here",
        retry_after=error.seconds("retry_after"),
        times=entry.whole("times", least=1) or 1,
        delay=entry.seconds("delay") or 0.0,
    )


def _call(where: str, value: object) -> Call:
    entry = _entry(where, value, ("name", "args"))
    args = entry.fields.get("args", {})
    if not isinstance(args, dict):
        raise entry.wrong("args", "a mapping")
    _need_json(f"{where}.args", args)
    return Call(name=entry.text("name", needed=True), arguments=json.dumps(args, ensure_ascii=False))


def _usage(where: str, value: object) -> Usage:
    entry = _entry(where, value, ("input", "output", "cached"))
    usage = Usage(input=entry.whole("input"), output=entry.whole("output"), cached=entry.whole("cached") or 0)
    if usage.input is not None and usage.cached > usage.input:
        raise entry.wrong("cached", "at most 'input', which includes it")
    return usage


def _need_json(where: str, value: object) -> None:
    """Refuse what YAML can hold and JSON cannot: dates, bytes, sets, keys that are no strings, infinities."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ScriptError(f"{where}: the key {key!r} is not a string; put it in quotes.")
            _need_json(f"{where}.{key}", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _need_json(f"{where}[{index}]", item)
    elif not (value is None or isinstance(value, str | int) or _is_number(value)):
        raise ScriptError(f"{where} is {value!r}, which JSON cannot hold; put it in quotes.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _entry(where: str, value: object, keys: tuple[str, ...]) -> "_Entry":
    """Return the mapping at ``where``; refuse anything else, and any key that is not one of ``keys``."""
    if not isinstance(value, dict):
        raise ScriptError(f"{where} must be a mapping with keys among {', '.join(keys)}, not {value!r}.")
    for key in value:
        if key not in keys:
            raise ScriptError(f"{where} has an unknown key {key!r}; it may have {', '.join(keys)}.")
    return _Entry(where=where, fields={str(key): item for key, item in value.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A mapping of the script that knows where it stands, so that every complaint can say so."""

    where: str
    fields: dict[str, object]

    def wrong(self, key: str, expected: str) -> ScriptError:
        """Return the complaint that ``key`` is missing, or is not what was ``expected``."""
        if key not in self.fields:
            return ScriptError(f"{self.where} lacks the key '{key}': it must be {expected}.")
        return ScriptError(f"{self.where}: '{key}' must be {expected}, not {self.fields[key]!r}.")

    def text(self, key: str, *, needed: bool = False) -> str:
        """Return a string; where it is ``needed``, one that is present and not empty."""
        value = self.fields.get(key, "")
        if not isinstance(value, str) or (needed and not value):
            raise self.wrong(key, "a string")
        return value

    def whole(self, key: str, *, least: int = 0) -> int | None:
        """Return a whole number of ``least`` or more, or nothing where the key is absent."""
        value = self.fields.get(key)
        if key not in self.fields:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.wrong(key, f"a whole number, {least} or more")
        return value

    def seconds(self, key: str) -> float | None:
        """Return a time in seconds, or nothing where the key is absent."""
        value = self.fields.get(key)
        if key not in self.fields:
            return None
        if not isinstance(value, int | float) or not _is_number(value) or not 0 <= value <= _LONGEST_S:
            raise self.wrong(key, f"a number of seconds from 0 to {_LONGEST_S}")
        return float(value)

    def items(self, key: str, where: str) -> list[tuple[str, object]]:
        """Return the entries of a list, each with its own place."""
        value = self.fields.get(key)
        if not isinstance(value, list):
            raise self.wrong(key, "a list")
        return [(f"{where}[{index}]", item) for index, item in enumerate(value)]
