"""The console script: `query` and `--version` are served before any framework is imported."""

import gc
import sys

import walkaway

TYPE_CHECKING = False
if TYPE_CHECKING:
    from walkaway.core.fleet.overview import Overview
    from walkaway.core.ids import WorkerId


def main() -> int:
    """Run the command that the process was started with and return its exit code."""
    args = sys.argv[1:]
    if args in (["query"], ["query", "--json"]):
        return query()
    if args == ["--version"]:
        sys.stdout.write(f"walkaway {walkaway.__version__}\n")
        return 0
    from walkaway.cli.main import run  # noqa: PLC0415 - click is not for `query`

    gc.set_threshold(100_000, 20, 20)  # imports make many objects and no garbage
    code = run(args)
    gc.freeze()  # what is left ends with the process; looking through it first takes a quarter of a second
    return code


def query() -> int:
    """Print the state of the project as one line of JSON; no model, no side effect. Exit 2 where there is none."""
    from walkaway.core.errors import WalkawayError  # noqa: PLC0415 - not for `--version`

    try:
        line = answer()
    except WalkawayError as error:
        from walkaway.cli.exits import of_error  # noqa: PLC0415 - only when something is wrong

        sys.stderr.write(f"walkaway: {error}\n")
        return of_error(error).code
    sys.stdout.write(line + "\n")
    return 0


def answer() -> str:
    """Return what `query` prints; raise `WalkawayError` where it cannot be told."""
    import json  # noqa: PLC0415 - not for `--version`

    from walkaway import layout, store  # noqa: PLC0415
    from walkaway.core.derive import derive  # noqa: PLC0415
    from walkaway.core.ids import Scope  # noqa: PLC0415
    from walkaway.core.schedule import eligible  # noqa: PLC0415
    from walkaway.units import UNITS  # noqa: PLC0415
    from walkaway.views.query import Around, query  # noqa: PLC0415

    place = layout.find()
    resolved = place.resolved()
    opened = store.connect(resolved.url, place.project(), synchronous=resolved.synchronous)
    overview = opened.overview()
    todo = eligible(overview)
    snapshot = opened.snapshot(Scope(todo[0])) if todo else None
    decision = derive(snapshot, UNITS) if snapshot else None
    pinned = snapshot.milestone if snapshot else None
    branch = (pinned.target_branch if pinned else "") or resolved.target or layout.checked_out(place.root)
    sha = layout.tip(place.root, branch) or (pinned.target_sha if pinned else "")
    around = Around(branch=branch, sha=sha, usd=resolved.usd, attempts=resolved.attempts)
    pauses = opened.controls.read().in_force
    glance, dead = opened.registers_at_a_glance(), dead_workers(overview)
    told = query(overview, snapshot, decision, around=around, glance=glance, dead=dead, pauses=pauses)
    opened.close()
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def dead_workers(overview: "Overview") -> "frozenset[WorkerId]":
    """Return the workers that are provably gone and did not say goodbye."""
    from walkaway.identity import Identity, alive  # noqa: PLC0415 - not for `--version`

    return frozenset(w.id for w in overview.workers if alive(Identity(w.host, w.boot_id, w.pid, w.started)) is False)
