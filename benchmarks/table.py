"""One row per figure, and how the rows are printed and judged."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

HEADERS = ("row", "measured", "limit", "", "baseline of this run", "ratio", "how")


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a comparable, bare thing cost on the same machine in the same minute."""

    name: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. A row without ``limit`` only informs; with ``at_least`` more is better."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False
    baseline: Baseline | None = None
    how: str = ""

    @property
    def over(self) -> bool:
        """Whether the limit is exceeded."""
        if self.limit is None:
            return False
        return self.value < self.limit if self.at_least else self.value > self.limit

    @property
    def ratio(self) -> float | None:
        """How many times the baseline this is; it moves far less than the figure when the machine is busy."""
        if self.baseline is None or not self.baseline.value:
            return None
        return self.value / self.baseline.value

    def cells(self) -> tuple[str, ...]:
        """Return the row as printed, one text per header."""
        sign = "≥" if self.at_least else "≤"
        limit = "" if self.limit is None else f"{sign} {number(self.limit)} {self.unit}".strip()
        verdict = "" if self.limit is None else "OVER" if self.over else "ok"
        base = "" if self.baseline is None else f"{self.baseline.name}: {number(self.baseline.value)} {self.unit}"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return (self.name, f"{number(self.value)} {self.unit}".strip(), limit, verdict, base, ratio, self.how)


def number(value: float) -> str:
    """Return a figure with three significant digits, and whole numbers whole."""
    if float(value).is_integer() and abs(value) < 1e9:
        return f"{int(value)}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def as_text(rows: Sequence[Row]) -> str:
    """Return the rows as a markdown table with aligned columns."""
    lines = [HEADERS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADERS))]
    printed = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    rule = "| " + " | ".join("-" * max(width, 3) for width in widths) + " |"
    return "\n".join([printed[0], rule, *printed[1:]])


def as_json(rows: Sequence[Row]) -> str:
    """Return the rows as one JSON object: ``rows``, and under ``over`` the names of those above their limit."""
    listed = [{**asdict(row), "over": row.over, "ratio": row.ratio} for row in rows]
    return json.dumps({"v": 1, "rows": listed, "over": [row.name for row in rows if row.over]}, ensure_ascii=False)
