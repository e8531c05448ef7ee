"""`plan`, `dispatch` and `why`: look at the plan, run one kind of unit, ask where something is from."""

import click

from walkaway import app, shown
from walkaway.cli import board as drawing
from walkaway.cli import options
from walkaway.cli.run import start
from walkaway.cli.say import clock, out, out_json
from walkaway.cli.session import Session
from walkaway.views.plan import plan_json
from walkaway.views.why import Link, why_json

PHASES = {
    "discuss": ("discuss-project", "discuss-requirements", "discuss-milestone"),
    "research": ("research-decision", "research-project", "research-milestone", "research-slices", "research-slice"),
    "plan": ("plan-milestone", "plan-slice", "refine-slice"),
    "replan": ("replan-slice",),
    "execute": ("execute-task", "review-step"),
    "complete": ("complete-slice", "complete-milestone"),
    "uat": ("run-uat",),
    "reassess": ("reassess-roadmap",),
    "validate": ("validate-milestone",),
}
"""What a person calls a part of the work -> the kinds of unit that do it."""


@click.group(short_help="Look at the plan.")
def plan() -> None:
    """Look at the plan: milestones, slices and tasks, with all that is known of each."""


@plan.command("show")
@click.argument("milestone", required=False)
@options.as_json("Print the plan as one JSON object.")
@options.settings
@click.pass_obj
def show(session: Session, milestone: str | None, json_: bool) -> None:  # noqa: FBT001 - click hands options in by name
    """Show the plan of MILESTONE (default: of all) as a tree: what is done, what is open, what was put aside."""
    opened = app.open_project(session.overrides)
    try:
        found = shown.plans(opened, options.milestone(milestone))
    finally:
        opened.close()
    if json_:
        out_json({"v": 1, "milestones": [plan_json(s) for _, s in found]})
        return
    for lane, _ in found:
        out("\n".join(drawing.draw_lane(lane)))


@click.command(short_help="Run one unit, if it is of the kind that you name.")
@click.argument("phase", type=click.Choice([*PHASES]))
@click.option("--milestone", metavar="ID", help="Only this milestone.")
@options.as_json("Print progress and the result as lines of JSON.")
@options.settings
@click.pass_obj
def dispatch(session: Session, phase: str, milestone: str | None, json_: bool) -> int:  # noqa: FBT001 - as above
    """Run the next unit if it belongs to PHASE; otherwise say what comes first, and begin nothing.

    What comes next is decided as for walkaway auto: nothing is run out of order.
    """
    del json_
    wanted = app.RunOptions(step=True, only=PHASES[phase], milestone=options.milestone(milestone))
    return start(session, wanted)


@click.command(short_help="Show where a line of code, a task or a commit comes from.")
@click.argument("what")
@options.as_json("Print one JSON object.")
@options.settings
@click.pass_obj
def why(session: Session, what: str, json_: bool) -> None:  # noqa: FBT001 - as above
    """Show the way from what was asked for to what was done: milestone, slice, task, runs, checks, commits.

    WHAT is a part of the plan (M001, M001/S01, M001/S01/T02), a line of a file (src/a.py:12), a commit, a requirement
    (R001) or a decision (D001).
    """
    opened = app.open_project(session.overrides)
    try:
        found = shown.why(opened, what)
    finally:
        opened.close()
    if json_:
        out_json(why_json(found))
        return
    out(click.style(found.what, bold=True))
    for link in found.links:
        out(_link(link))


def _link(link: Link) -> str:
    took = f"  {clock(link.seconds)}" if link.seconds else ""
    told = "".join(f"\n      {line}" for line in link.text.splitlines())
    return f"  {click.style(f'{link.kind:<9}', fg='cyan')} {link.name}{took}{told}"
