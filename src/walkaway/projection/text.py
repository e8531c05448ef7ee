"""Small pieces of markdown: one line, a list, a front matter, a time."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

_NEEDS_QUOTES = re.compile(
    r"""^[\s\[\]{}>|*&!%@`"'#,?:-]|:\s|\s\#|:$|^$|^(true|false|null|yes|no|on|off|~|[\d.+-][\d._eE+-]*)$""",
    re.IGNORECASE,
)


def line(text: str) -> str:
    """Return ``text`` as one line, so that it cannot end the element it stands in."""
    return " ".join(text.split())


def bullets(items: Iterable[str], *, empty: str = "") -> str:
    """Return a list, one line an item; ``empty`` where there is none."""
    return "\n".join(f"- {line(item)}" for item in items) or empty


def section(title: str, body: str) -> str:
    """Return a second-level section; nothing where it would be empty."""
    return f"## {title}\n\n{body.strip()}\n" if body.strip() else ""


def document(*parts: str) -> str:
    """Return the parts with a blank line between them and one line end at the end; empty parts are left out."""
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


Item = str | Mapping[str, str]


def front_matter(fields: Sequence[tuple[str, str | Sequence[Item]]]) -> str:
    """Return a YAML front matter; an empty list is printed with the one item ``(none)``."""
    lines = ["---"]
    for key, value in fields:
        if isinstance(value, str):
            lines.append(f"{key}: {value}")
        else:
            lines.append(f"{key}:")
            lines.extend(f"  - {_item(item)}" for item in value or ["(none)"])
    return "\n".join([*lines, "---"])


def _item(item: Item) -> str:
    if isinstance(item, str):
        return scalar(item)
    return "\n    ".join(f"{key}: {scalar(value)}" for key, value in item.items())


def scalar(text: str) -> str:
    """Return ``text`` as one value of YAML, quoted where it would be read as anything else."""
    plain = line(text)
    if not _NEEDS_QUOTES.search(plain):
        return plain
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def code(text: str) -> str:
    """Return ``text`` as inline code, whatever backticks it has."""
    plain = line(text)
    longest = max((len(run) for run in re.findall(r"`+", plain)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {plain} {fence}" if longest else f"{fence}{plain}{fence}"


def cell(text: str) -> str:
    """Return ``text`` as one cell of a table."""
    return line(text).replace("|", "\\|")


def time(seconds: float) -> str:
    """Return an instant in ISO 8601, UTC, milliseconds; "" for none."""
    if not seconds:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def duration(seconds: float) -> str:
    """Return a length of time as people write it: ``45s``, ``12m``, ``1h05m``; "" for none."""
    whole = round(seconds)
    if whole <= 0:
        return ""
    if whole < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{whole}s"
    minutes = round(whole / 60)
    return f"{minutes}m" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"  # noqa: PLR2004
