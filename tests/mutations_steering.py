"""Faults in the queue, in taking back, and in what people say meanwhile: each is caught by the tests it names."""

from tests.mutations import Mutation

QUEUE = ("tests/core/test_queue.py",)
RUN = ("tests/engine/test_queue.py",)
WISHES = ("tests/engine/test_wishes.py",)

STEERING_MUTATIONS: list[Mutation] = [
    Mutation(
        "what is parked satisfies those that come after it",
        "core/schedule.py",
        "    return wanted in rows and rows[wanted].status is MilestoneStatus.COMPLETE\n",
        '    return wanted in rows and (rows[wanted].status is MilestoneStatus.COMPLETE or rows[wanted].aside != "")\n',
        (*QUEUE, *RUN),
    ),
    Mutation(
        "a parked milestone is worked on",
        "core/schedule.py",
        "    if row.aside:\n",
        "    if False:\n",
        (*QUEUE, *RUN),
    ),
    Mutation(
        "a circle of milestones is not seen",
        "core/schedule.py",
        "            elif row.id in _before(rows, wanted):\n",
        "            elif row.id in rows[wanted].depends and False:\n",
        (*QUEUE, *RUN),
    ),
    Mutation(
        "a queue with something that waits for ever ends complete",
        "engine/result.py",
        "    if stuck := [why for m, why in held.items() if not asides[m]]:\n",
        "    if stuck := [why for m, why in held.items() if asides[m] and False]:\n",
        RUN,
    ),
    Mutation(
        "a milestone is put aside under a unit at work",
        "core/plan/change.py",
        '    """A part is not to be done."""\n    _require_idle(s, event.target)\n',
        '    """A part is not to be done."""\n',
        (*RUN, "tests/engine/test_workflow.py"),
    ),
    Mutation(
        "undo leaves the work on the line",
        "core/plan/change.py",
        "    milestone = replace(moved, head=event.head, prepared_base=NO_SHA",
        "    milestone = replace(moved, prepared_base=NO_SHA",
        RUN,
    ),
    Mutation(
        "undo keeps nothing of what it takes back",
        "commands/undo.py",
        "    project.keep(s.milestone.id, head)\n",
        "",
        RUN,
    ),
    Mutation(
        "dispatch runs whatever comes next",
        "engine/turn.py",
        "        return None if key.kind in only else Left(",
        "        return None if key.kind else Left(",
        RUN,
    ),
    Mutation(
        "a capture changes the plan without consent",
        "units/triage_captures.py",
        '        consent = s.policy.questions == "assume" or wish.agreed(s, found[each.id])\n',
        "        consent = True\n",
        WISHES,
    ),
    Mutation(
        "a capture that was left is sorted in again",
        "core/plan/wish.py",
        "    return asked is not None and (asked.open or asked.answer == DO)\n",
        "    return asked is not None\n",
        WISHES,
    ),
    Mutation(
        "what the agent was not told of counts as sorted in",
        "core/plan/wish.py",
        "    return s.live is None or after(note) < s.live.seq\n",
        "    return True\n",
        WISHES,
    ),
    Mutation(
        "an override stands in no brief",
        "units/sections.py",
        "        _overrides(s),\n",
        "",
        WISHES,
    ),
    Mutation(
        "two tasks of one triage get the same number",
        "units/triage_captures.py",
        "            added = cutting.tasks_from(s, slice_, each.tasks, there)\n",
        "            added = cutting.tasks_from(s, slice_, each.tasks)\n",
        WISHES,
    ),
]
