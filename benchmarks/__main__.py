"""``python -m benchmarks [name…] [--json]``: measure, print one table, exit 1 if a limit is exceeded."""

import argparse
import sys
from collections.abc import Callable, Mapping

from benchmarks import contention, query, restart, run12, startup, table
from benchmarks.measure import BenchmarkError, compiled, machine

BENCHMARKS: Mapping[str, Callable[[], list[table.Row]]] = {
    "query": query.measure,
    "postgres": query.measure_postgres,
    "startup": startup.measure,
    "run12": run12.measure,
    "contention": contention.measure,
    "long": contention.measure_long,
    "restart": restart.measure,
}


def main() -> int:
    """Run the benchmarks named on the command line, or all; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"which: {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    given = parser.parse_args()
    if unknown := [name for name in given.names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    compiled()
    before = machine()
    rows: list[table.Row] = []
    failed = False
    for name in given.names or BENCHMARKS:
        print(f"measuring {name} …", file=sys.stderr)
        try:
            rows.extend(BENCHMARKS[name]())
        except BenchmarkError as error:
            failed = True
            print(f"{name}: {error}", file=sys.stderr)
    print(f"{before}\nafterwards: {machine()}", file=sys.stderr)
    print(table.as_json(rows) if given.json else table.as_text(rows))
    return 1 if failed or any(row.over for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
