"""Print docs/reference.md from the code: commands, exit codes, settings, units, errors, findings, life cycles.

``python -m tests.docs.generate`` writes it; a test compares.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import click

from walkaway import doctor
from walkaway.cli import exits
from walkaway.cli.main import cli
from walkaway.config import Config
from walkaway.core import errors, lifecycle
from walkaway.core.fleet import order
from walkaway.units import UNITS

HOME = Path(__file__).parent.parent.parent / "docs" / "reference.md"

SETTINGS = (
    "In `.walkaway/config.toml`, in the user's `walkaway/config.toml` below the configuration directory, as "
    "`WALKAWAY_<SECTION>__<KEY>`, or as `--set key=value`; later ones win. `walkaway config show` names the origin "
    "of each value. Unknown keys are errors."
)
DOCTOR = (
    "`code` is stable. `walkaway doctor` exits with 10 where an error is found; `--fix` does what the last column says, "
    "and nothing else."
)
NOTE = "<!-- printed by `make docs` from the code; a test compares -->"


def reference() -> str:
    parts = [
        "# Reference",
        NOTE,
        "## Commands",
        *commands(),
        "## Exit codes",
        exit_codes(),
        "## Settings",
        SETTINGS,
        settings(),
        "## Units",
        units(),
        "## Errors",
        "`error.code` is stable. A message says what happened, to what, and what to do next.",
        error_codes(),
        "## Findings of the doctor",
        DOCTOR,
        faults(),
        "## Life cycles",
        *cycles(),
    ]
    return "\n\n".join(parts) + "\n"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def commands() -> Iterator[str]:
    context = click.Context(cli, info_name="walkaway", terminal_width=100, **cli.context_settings)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        yield from help_of(command, click.Context(command, parent=context, info_name=name, terminal_width=100))


def help_of(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"### {context.command_path}\n\n```text\n{command.get_help(context)}\n```"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from help_of(inner, click.Context(inner, parent=context, info_name=name, terminal_width=100))


def exit_codes() -> str:
    words: dict[int, list[str]] = {}
    for status, code in exits.OF_STATUS.items():
        words.setdefault(code, []).append(f"`{status}`")
    meaning = dict(re.findall(r"^(\d+)\s+(.+)$", exits.__doc__ or "", re.MULTILINE))
    return table(
        ("Code", "Status in the result line", "Meaning"),
        [(str(code), ", ".join(words[code]), meaning[str(code)]) for code in sorted(words)],
    )


def settings() -> str:
    rows = []
    for section, group in Config.model_fields.items():
        for key, field in group.annotation.model_fields.items():
            rows.append((f"`{section}.{key}`", f"`{field.default}`", field.description or ""))
    return table(("Key", "Default", "Meaning"), rows)


def units() -> str:
    return table(
        ("Unit type", "Purpose", "May", "Judged by the checks of"),
        [(f"`{u.kind}`", u.purpose, ", ".join(sorted(u.grant.effects)), u.judged.value) for u in UNITS],
    )


def error_codes() -> str:
    found = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.WalkawayError)]
    rows = [
        (f"`{c.code}`", str(exits.OF_STATUS[exits.OF_ERROR[c.code]]), " ".join((c.__doc__ or "").split()))
        for c in found
    ]
    return table(("`error.code`", "Exit", "Meaning"), rows)


def faults() -> str:
    rows = [(f"`{f.code}`", str(f.severity), f.means, f.mends or "-") for f in doctor.faults()]
    return table(("`code`", "Severity", "Meaning", "What `--fix` does"), rows)


def cycles() -> Iterator[str]:
    """Draw each transition table."""
    for name in ("MILESTONE", "SLICE", "TASK", "DISPATCH"):
        lines = ["```mermaid", "stateDiagram-v2"]
        for event, moves in getattr(lifecycle, name).items():
            lines += [
                f"    {before.value} --> {after.value}: {event.__name__}" for before, after in sorted(moves.items())
            ]
        yield f"### {name.title()}\n\n" + "\n".join([*lines, "```"])
    moves_of_orders = [
        f"    {before.value} --> {after.value}: {move.value}"
        for move, moves in order.COMMAND.items()
        for before, after in sorted(moves.items())
    ]
    yield "### Order\n\n" + "\n".join(["```mermaid", "stateDiagram-v2", *moves_of_orders, "```"])


if __name__ == "__main__":
    HOME.write_text(reference(), encoding="utf-8")
