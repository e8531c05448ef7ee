"""How the demo looks: 80 columns of plain text, with a little colour on a terminal."""

import re
import sys

from walkaway import proc

WIDTH = 80

_COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_CODES = re.compile(r"\x1b\[\d*m")


def ink(text: str, colour: str) -> str:
    """Return ``text`` in a colour where somebody can see it."""
    env = proc.environment()
    if not sys.stdout.isatty() or env.get("NO_COLOR") or env.get("TERM") == "dumb":
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def heading(text: str) -> str:
    """Return a line that opens a part."""
    return "\n" + ink(text, "bold")


def cut(text: str, width: int = WIDTH) -> str:
    """Return a line that fits; one that is too long ends with an ellipsis."""
    plain = _CODES.sub("", text)
    return text if len(plain) <= width else plain[: width - 1] + "…"


def clock(seconds: float) -> str:
    """Return a length of time in a column of eight."""
    return f"{seconds:6.1f} s"


def money(usd: float | None) -> str:
    """Return an amount in a column of nine; an unknown price is said to be one."""
    return f"{'unknown' if usd is None else f'${usd:.4f}':>9}"


def indent(text: str, by: str = "  ") -> str:
    """Return the lines of a text, moved to the right and not longer than the page."""
    return "\n".join(cut(by + line).rstrip() for line in text.rstrip().splitlines())
