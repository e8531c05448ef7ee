"""What is told: a specification, a script, and what happens beside it. Two stories: the short one, and the full one."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """Somebody who commits to the target meanwhile: after which unit, in which file, which text."""

    after: str
    path: str
    text: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One story; ``spec`` and ``script`` are files of this package."""

    name: str
    again: str
    """The command that tells it once more."""
    spec: str
    script: str
    readme: str
    trials: tuple[tuple[str, ...], ...]
    """What the built tool is asked at the end, as arguments of Python."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the run."""
    answers: str = ""
    """What a person has written down before (TOML)."""
    neighbour: Neighbour | None = None


SHORT = Plot(
    name="tally",
    again="walkaway demo",
    spec="spec.md",
    script="script.yaml",
    readme="# tally\n\nNothing here yet. What it is to become is handed to walkaway as a specification.\n",
    trials=(("-m", "tally", "examples/week.txt"), ("-m", "tally", "--by", "day", "examples/week.txt")),
)

FULL = Plot(
    name="spoon",
    again="walkaway demo --full",
    spec="full.md",
    script="full.yaml",
    readme="# spoon\n\nNothing here yet.\n",
    trials=(
        ("-m", "spoon", "examples/pancakes.txt", "--for", "2"),
        ("-m", "spoon", "examples/pancakes.txt", "examples/waffles.txt", "--for", "4"),
    ),
    settings={"WALKAWAY_WORKFLOW__PROFILE": "max"},
    answers='asked = "keep apart"\n',
    neighbour=Neighbour(
        after="run-uat M001/S02",
        path="README.md",
        text="# spoon\n\nFor the kitchen of the house at the lake.\n",
        message="Say what spoon is for",
    ),
)
