"""What is there at the end, read from the repository, the database and the process table."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from walkaway.chaos.people import THEIRS
from walkaway.chaos.stage import README
from walkaway.chaos.verdict import Commit, Ending, Facts
from walkaway.chaos.world import World
from walkaway.core.ids import Scope
from walkaway.core.model import DispatchStatus, Snapshot

ORPHANS_S = 5.0
"""How long what a killed worker left running may take to end by itself."""
SHOWN = "--format=%H%x00%P%x00%(trailers:key=Walkaway-Unit,valueonly,separator=%x2C)"


def gather(world: World, snapshots: Sequence[Snapshot], findings: Sequence[Mapping[str, object]]) -> Facts:
    """Return the facts; ``findings`` are the doctor's. No worker is at work any more."""
    stage, people = world.stage, world.people
    plan = replace(people.plan, milestones=len(snapshots))
    wanted = {name: text for m in plan.names() for name, text in plan.contents(m).items()}
    own = {"README": README}
    theirs = dict.fromkeys(people.foreign, THEIRS)
    return Facts(
        milestones={s.milestone.id: _ending(world, s, plan.units(s.milestone.id)) for s in snapshots},
        main=_commits(world, "main"),
        seen=world.watch.tips,
        reached={
            ref: frozenset(stage.git("rev-list", ref).split()) for ref in world.watch.tips if _is_there(world, ref)
        },
        foreign=tuple(people.foreign.values()),
        files=_files(world),
        wanted={name: _blob(text) for name, text in {**own, **wanted, **theirs}.items()},
        left=tuple(_left(world, snapshots)),
        wrong=(*world.crew.wrong, *_untidy(world), *(_told(f) for f in findings if f["severity"] == "error")),
    )


def diagnosed(world: World) -> Sequence[Mapping[str, object]]:
    """Return what the doctor finds."""
    done = world.stage.run("doctor", "--json")
    found: Sequence[Mapping[str, object]] = json.loads(done.output)["findings"]
    return found


def _ending(world: World, s: Snapshot, units: Sequence[str]) -> Ending:
    m = s.milestone
    ref = f"refs/walkaway/{m.id}"
    done = [d for d in s.dispatches.values() if d.status is DispatchStatus.COMPLETED]
    asked = s.blocked_by
    last = next(reversed(list(s.dispatches.values())), None)
    why = asked.text if asked else f"last {last.key} {last.status} {last.failure} {last.why}" if last else "not begun"
    return Ending(
        units=units,
        status=str(m.status),
        why=why,
        completed=tuple((str(d.key), d.commit_sha) for d in done),
        line=_commits(world, f"{m.target_sha}..{ref}") if _is_there(world, ref) else (),
        published=m.commit_sha,
    )


def _is_there(world: World, ref: str) -> bool:
    return bool(world.stage.git("for-each-ref", ref).strip())


def _commits(world: World, what: str) -> Sequence[Commit]:
    """Return commits, oldest first."""
    lines = world.stage.git("log", "--reverse", SHOWN, what, "--").splitlines()
    parts = (line.split("\0") for line in lines if line)
    return tuple(Commit(sha=sha, parents=len(parents.split()), unit=unit.strip()) for sha, parents, unit in parts)


def _files(world: World) -> Mapping[str, str]:
    listed = world.stage.git("ls-tree", "-r", "-z", "--format=%(path)%x09%(objectname)", "main").split("\0")
    return dict(_pair(line) for line in listed if line)


def _pair(line: str) -> tuple[str, str]:
    name, _, blob = line.partition("\t")
    return name, blob


def _blob(text: str) -> str:
    """Return the name under which git keeps a file's content."""
    data = text.encode()
    return hashlib.sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()


# ---- what is left --------------------------------------------------------------------------------------------------


def _left(world: World, snapshots: Sequence[Snapshot]) -> Iterator[str]:
    store = world.database.store
    for s in snapshots:
        if s.live is not None:
            yield f"{s.live.key} is still {s.live.status}"
        if holder := store.holder(Scope(s.milestone.id)):
            yield f"{s.milestone.id} is still held by {holder}"
    for worker in store.overview().workers:
        yield f"worker {worker.id} is still registered as {worker.status}"
    for pause in store.controls.read().in_force:
        yield f"{pause.restriction} is still paused"
    yield from _running(world)


def _running(world: World) -> Iterator[str]:
    """Name the processes that are still at work somewhere in the folder."""
    until = time.monotonic() + ORPHANS_S
    while (found := _in(str(world.stage.project))) and time.monotonic() < until:
        time.sleep(0.1)
    return (f"process {pid} still runs: {words}" for pid, words in found.items())


def _in(folder: str) -> dict[int, str]:
    """Return the processes whose working directory is below a folder (Linux)."""
    found: dict[int, str] = {}
    if sys.platform != "linux":
        return found
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if os.readlink(f"/proc/{pid}/cwd").startswith(folder):
                with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as words:
                    found[pid] = words.read().replace("\0", " ").strip()
    return found


def _untidy(world: World) -> Iterator[str]:
    for line in world.stage.git("status", "--porcelain").splitlines():
        yield f"the user's checkout is not clean: {line}"


def _told(finding: Mapping[str, object]) -> str:
    return f"doctor: {finding['code']} ({finding['scope']}): {finding['message']}"
