"""A step of a workflow that a person wrote: how it is done, and how it is cut into tasks once its list is there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST_ITEMS = 100
"""So many tasks one step may become."""

MOST_BYTES = 1 << 20
"""Most of a list that is read."""

LONGEST_LINE = 1_000
"""A longer line of a list is no item: patterns are written by people, lists by models."""

ITEM = "{{item}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What `Slice` does not say of a step.

    ``prompt``: what its agent is told. ``produces``: paths that are there when it is done. ``verify``: the command that
    judges it. ``source`` and ``pattern``: where it is to be done once for each line of that file that matches; the
    pattern's one group is the item. ``reviewer``: who looks at it before what depends on it begins (``person``,
    ``model`` or nobody), and ``review`` what a model is asked.
    """

    prompt: str
    produces: tuple[str, ...] = ()
    verify: str = ""
    source: str = ""
    pattern: str = ""
    reviewer: str = ""
    review: str = ""


def items(step: Step, text: str) -> Sequence[str]:
    """Return what the step is to be done for, in order, none twice."""
    form = re.compile(step.pattern)
    found = (form.search(line) for line in text.splitlines() if len(line) <= LONGEST_LINE)
    return [*dict.fromkeys(match.group(1).strip() for match in found if match and match.group(1).strip())]
