"""Options that several commands take, and how their words are read."""

import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from walkaway.cli.session import Session
from walkaway.core.asking.question import is_gate
from walkaway.core.errors import Usage
from walkaway.core.ids import MilestoneId, is_target

F = TypeVar("F", bound=Callable[..., object])

_NAMED = re.compile(r"M\d{3,}(-[a-z0-9]{6})?-Q\d+|[a-z]+(-[a-z]+)*")
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")


@dataclass(frozen=True, slots=True)
class Answered:
    """Answers that were written down before a run, and where."""

    words: Mapping[str, str]
    path: str = ""


def answers(command: F) -> F:
    """Let a command take ``--answers``."""
    return click.option(
        "--answers",
        metavar="FILE",
        callback=_answered,
        help="Answers to questions to come, TOML or JSON: id, gate or reason = answer.",
    )(command)


def _answered(_ctx: click.Context, _option: click.Parameter, path: str | None) -> Answered:
    """Read answers; `Usage` for a file that is not exactly a table of names and answers."""
    if path is None:
        return Answered({})
    try:
        text = Path(path).read_text(encoding="utf-8")
        found = json.loads(text) if path.endswith(".json") else tomllib.loads(text)
    except OSError as error:
        raise Usage(f"The answers {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:  # what no TOML, no JSON and no UTF-8 is
        raise Usage(f"The answers {path} are no {'JSON' if path.endswith('.json') else 'TOML'}: {error}.") from error
    if not isinstance(found, dict):
        raise Usage(f"The answers {path} are no table: write a name and an answer for each.")
    for name, words in found.items():
        if not (is_gate(name) or _NAMED.fullmatch(name)):
            raise Usage(f"'{name}' in {path} is no question: write its id (M001-Q1), a gate (depth:M001) or a reason.")
        if not isinstance(words, str) or not words.strip():
            raise Usage(f"The answer to {name} in {path} is no text: write one of the words that it takes.")
    return Answered(found, str(Path(path).resolve()))


def settings(command: F) -> F:
    """Let a command take ``--set`` after its name too."""
    return click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="KEY=VALUE",
        help="Override a setting for this command.",
        expose_value=False,
        callback=_keep,
    )(command)


def _keep(ctx: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> None:
    session = ctx.find_object(Session)
    if session is not None:
        session.overrides.extend(given)


def as_json(help_: str) -> Callable[[F], F]:
    """Let a command take ``--json``."""
    return click.option("--json", "json_", is_flag=True, help=help_)


def seconds(_ctx: click.Context, option: click.Parameter, given: str | None) -> float | None:
    """Read ``90``, ``90s``, ``30m``, ``1h30m``, ``2d``."""
    if given is None:
        return None
    found = _DURATION.fullmatch(given.strip().lower())
    if not given.strip() or found is None:
        raise click.BadParameter(f"'{given}' is no length of time: write 90s, 30m or 1h30m.", param=option)
    days, hours, minutes, rest = (float(part or 0) for part in found.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + rest
    if total <= 0:
        raise click.BadParameter(f"'{given}' is no time at all.", param=option)
    return total


def usd(_ctx: click.Context, option: click.Parameter, given: float | None) -> float | None:
    """Refuse amounts that are none."""
    if given is not None and (given < 0 or not math.isfinite(given)):
        raise click.BadParameter(f"{given} is no amount of money.", param=option)
    return given


def milestone(given: str | None) -> MilestoneId | None:
    """Read a milestone's id; `Usage` where it is none."""
    if given is None:
        return None
    if "/" in given or not is_target(given):
        raise Usage(f"'{given}' is no milestone: write its id, as in M001; walkaway status lists them.")
    return MilestoneId(given)
