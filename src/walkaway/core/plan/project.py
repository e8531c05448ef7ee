"""What PROJECT says, section by section: the same words for later briefs and for the file that people read."""

from collections.abc import Mapping, Sequence

Said = Mapping[str, str | Sequence[str]]
"""The report of `discuss-project`, as it is stored."""

Parts = tuple[tuple[str, str], ...]
"""Title and body of each section that says anything, in order."""


def parts(said: Said) -> Parts:
    """Return the sections of PROJECT (workflow §2.17): what it is first, what only frames it last."""
    shape = f"- **Complexity:** {_text(said, 'complexity')}\n- **Why:** {_text(said, 'why')}"
    found = (
        ("What This Is", _text(said, "what")),
        ("Core Value", _text(said, "value")),
        ("Project Shape", shape),
        ("Users", _list(said, "users")),
        ("What It Is Not", _list(said, "excluded")),
        ("Constraints", _list(said, "constraints")),
        ("Assumptions", _list(said, "assumptions")),
        ("Current State", _text(said, "state")),
        ("Architecture / Key Patterns", _text(said, "architecture")),
        ("Capability Contract", "What the project has to do stands in REQUIREMENTS.md."),
        ("Milestone Sequence", _list(said, "milestones")),
    )
    return tuple((title, body) for title, body in found if body)


def _text(said: Said, name: str) -> str:
    found = said.get(name, "")
    return found.strip() if isinstance(found, str) else ""


def _list(said: Said, name: str) -> str:
    found = said.get(name, ())
    return "" if isinstance(found, str) else "\n".join(f"- {' '.join(each.split())}" for each in found)
