"""What a whole run costs in processes: git is asked often, and rarely twice."""

from pathlib import Path

import pytest

from tests.git.gitrig import head, lease, tree, write
from walkaway.core.ids import NO_SHA, MilestoneId, Sha
from walkaway.git import GitWorkspace


def run_of_twelve(root: Path, *, each: bool) -> Sha:
    """Plan 7 units and write in 5, one of them refused and carried on; integrate, publish, give back."""
    work, ours, milestone = GitWorkspace(root, root / ".walkaway"), lease(1), MilestoneId("M001")
    pin = work.pin(None)
    at, carry = pin.sha, NO_SHA
    for n, unit in enumerate("ppwwppwRwppp"):
        place = work.prepare(ours, at, carry)
        if unit != "p":
            write(Path(place.path), {f"{n}.txt": f"{n}\n"})
        sealed = work.seal(place, f"Unit {n}", work=unit != "p")
        carry = sealed if unit == "R" else NO_SHA
        at = at if carry else sealed
        if each and not carry:
            work.advance_line(milestone, at, work.line(milestone))
    work.advance_line(milestone, at, work.line(milestone))
    made = work.integrate(pin.sha, at, "Milestone")
    with work.clean_checkout(ours, made, "check"):
        pass
    work.publish(pin.branch, pin.sha, made)
    assert work.release(ours, at) == ()
    return made


@pytest.mark.parametrize(("each", "most"), [(False, 45), (True, 55)], ids=["line advanced once", "after each unit"])
def test_a_whole_run_takes_few_git_processes(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, each: bool, most: int
) -> None:
    trace = tmp_path / "trace.json"
    monkeypatch.setenv("GIT_TRACE2_EVENT", str(trace))

    made = run_of_twelve(root, each=each)

    monkeypatch.delenv("GIT_TRACE2_EVENT")
    count = trace.read_text().count('"event":"start"')
    assert head(root) == made
    assert len(tree(root, made)) == 3 + 5
    assert count <= most, f"{count} git processes"
