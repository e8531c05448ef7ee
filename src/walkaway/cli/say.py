"""How the command line speaks: results on stdout, everything else on stderr."""

import json
import sys
from contextlib import suppress

import click


def out(text: str) -> None:
    """Print a result."""
    click.echo(text)


def err(text: str) -> None:
    """Say something to people; where that cannot be written (a full disk), exit code and result line still tell."""
    with suppress(OSError):
        click.echo(text, err=True)


def out_json(value: object) -> None:
    """Print a result as one line of JSON, at once."""
    click.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def is_terminal() -> bool:
    """Whether stderr is a terminal that somebody may be looking at."""
    return sys.stderr.isatty()


def money(usd: float | None) -> str:
    """Return an amount for people; an unknown price is said to be one."""
    if usd is None:
        return "cost unknown"
    return f"${usd:.2f}" if usd >= 1 or usd == 0 else f"${usd:.4f}"


def tokens(count: int) -> str:
    """Return a number of tokens for people."""
    if count < 10_000:  # noqa: PLR2004 - where thousands read better
        return f"{count} tokens"
    return f"{count / 1000:.0f}k tokens" if count < 1_000_000 else f"{count / 1_000_000:.1f}M tokens"  # noqa: PLR2004


def clock(seconds: float) -> str:
    """Return a length of time for people: ``4.2 s``, ``1:05``, ``2:03:04``."""
    if seconds < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
