"""Faults in the ways of a milestone: each is caught by the tests it names (see `tests.mutations`)."""

from tests.mutations import Mutation

PLAN = ("tests/core/test_plan.py",)
UNITS = ("tests/units",)
WAYS = ("tests/engine/test_workflow.py",)

WORKFLOW_MUTATIONS: list[Mutation] = [
    Mutation(
        "a deferred slice frees what depends on it",
        "core/model.py",
        'or self.aside == "skipped"',
        'or self.aside != ""',
        WAYS,
    ),
    Mutation(
        "a skipped slice frees nothing", "core/model.py", 'or self.aside == "skipped"', 'or self.aside == "none"', WAYS
    ),
    Mutation(
        "what was set aside is to be done still",
        "core/model.py",
        '        return self.status is SliceStatus.COMPLETE or self.aside != ""\n',
        "        return self.status is SliceStatus.COMPLETE\n",
        (*PLAN, *WAYS),
    ),
    Mutation(
        "open tasks outlive a new plan",
        "core/plan/change.py",
        "        if not task.inactive:\n",
        "        if task.inactive:\n",
        (*PLAN, *WAYS),
    ),
    Mutation(
        "a blocker outlives its new plan",
        "core/plan/change.py",
        'status=status, blocker="")',
        "status=status)",
        (*PLAN, *WAYS),
    ),
    Mutation("a sketch stays one", "core/plan/change.py", ", sketch=False)", ")", (*PLAN, *WAYS)),
    Mutation(
        "a roadmap changes what is begun",
        "core/plan/change.py",
        "if found.status is not SliceStatus.PENDING or found.aside:",
        "if found.aside:",
        PLAN,
    ),
    Mutation(
        "what is at work is set aside under it",
        "core/plan/change.py",
        "    if s.live and (",
        "    if s.live and False and (",
        WAYS,
    ),
    Mutation(
        "what is complete is set aside", "core/plan/change.py", "    if part.inactive:\n", "    if part.aside:\n", PLAN
    ),
    Mutation(
        "a complete milestone is changed",
        "core/plan/change.py",
        "    if s.milestone.status is not MilestoneStatus.ACTIVE and",
        "    if False and",
        PLAN,
    ),
    Mutation(
        "a slice is reopened and its tasks are not",
        "core/plan/change.py",
        "    if slice_.status is SliceStatus.COMPLETE:\n        tasks",
        "    if slice_.aside:\n        tasks",
        PLAN,
    ),
    Mutation(
        "a task with a blocker is done",
        "units/execute_task.py",
        "    if report.blocker.strip():\n",
        "    if False:\n",
        WAYS,
    ),
    Mutation(
        "a slice is planned anew for ever",
        "units/execute_task.py",
        "    if replans < MOST_REPLANS:\n",
        "    if replans < 1000:\n",
        WAYS,
    ),
    Mutation(
        "work goes on beside a blocker",
        "units/execute_task.py",
        " or slice_.blocker or not s.free(slice_):",
        " or not s.free(slice_):",
        (*PLAN, *WAYS),
    ),
    Mutation(
        "remediation goes round for ever", "units/validate_milestone.py", "rounds < MOST_ROUNDS", "rounds < 1000", WAYS
    ),
    Mutation(
        "slices that a validation adds are forgotten",
        "units/validate_milestone.py",
        "    if report.slices and rounds",
        "    if not report.slices and rounds",
        WAYS,
    ),
    Mutation(
        "a milestone is validated whatever its profile",
        "units/validate_milestone.py",
        " and s.all_inactive and takes(s, KIND):\n",
        " and s.all_inactive:\n",
        WAYS,
    ),
    Mutation(
        "the validation is left out whatever the profile",
        "units/complete_milestone.py",
        '    return finished and (s.scripted or not takes(s, "validate-milestone"))\n',
        "    return finished\n",
        (*PLAN, *WAYS),
    ),
    Mutation(
        "a trial that failed is no question",
        "units/run_uat.py",
        '    if report.verdict == "fail":\n',
        '    if report.verdict == "never":\n',
        WAYS,
    ),
    Mutation(
        "a trial is run once, whatever a person says",
        "units/run_uat.py",
        '    if note.verdict != "fail":\n        return False\n',
        "    return False\n",
        WAYS,
    ),
    Mutation(
        "a trial is run for ever",
        "units/run_uat.py",
        "    if note is None or note.at < completed_at:",
        "    if note is None or note.at >= completed_at:",
        (*PLAN, *WAYS),
    ),
    Mutation(
        "the roadmap is reassessed for ever",
        "units/reassess_roadmap.py",
        "    if done and s.note(KIND,",
        "    if done and not s.note(KIND,",
        (*PLAN, *WAYS),
    ),
    Mutation(
        "a slice is dropped under another",
        "units/roadmap.py",
        "    if held:\n",
        "    if held and False:\n",
        UNITS,
    ),
    Mutation(
        "research is done for ever",
        "units/research_milestone.py",
        " and s.note(KIND, s.milestone.id) is None:",
        ":",
        WAYS,
    ),
    Mutation(
        "what was found out is told to nobody",
        "units/notes.py",
        "    if note is None or note.report not in texts:",
        "    if note is None or note.report in texts:",
        WAYS,
    ),
    Mutation(
        "a sketch is planned as if it were none",
        "units/plan_slice.py",
        " and not slice_.sketch and s.free",
        " and s.free",
        (*UNITS, *WAYS),
    ),
    Mutation(
        "numbers of tasks are used again",
        "units/cutting.py",
        "    there = len(s.tasks_of(slice_)) + more\n",
        "    there = more\n",
        (*PLAN, *WAYS),
    ),
    Mutation(
        "numbers of slices are used again",
        "units/cutting.py",
        "    there = len(s.slices) + more\n",
        "    there = more\n",
        (*PLAN, *WAYS),
    ),
    Mutation(
        "a first slice is a sketch",
        "units/cutting.py",
        "    if planned.sketch and number == 1:\n",
        "    if planned.sketch and number == 0:\n",
        UNITS,
    ),
    Mutation(
        "nobody mends what a trial missed",
        "core/answer.py",
        '    if words == "remediate":\n',
        '    if words == "nothing":\n',
        WAYS,
    ),
]
