"""Two tiers: what `make check` runs reduced, `make soak` runs in full."""

import os
from typing import TypeVar

T = TypeVar("T")

SOAK = bool(os.environ.get("WALKAWAY_SOAK"))


def tier(check: T, soak: T) -> T:
    """Return the figure for the tier that runs now."""
    return soak if SOAK else check
