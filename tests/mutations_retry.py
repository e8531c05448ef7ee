"""Faults in what follows from a failure: each is caught by the tests it names (see `tests.mutations`)."""

from tests.mutations import Mutation

FAILURE = ("tests/core/test_failure.py",)
SCOPE = ("tests/core/test_scope.py",)
REMEDIES = ("tests/engine/test_remedies.py",)

RETRY_MUTATIONS: list[Mutation] = [
    Mutation(
        "what an agent did outside its checkout is a trouble of git",
        "core/failing/failure.py",
        "    errors.OutsideChanged: FailureKind.POLICY,\n",
        "",
        FAILURE,
    ),
    Mutation(
        "an error inside walkaway is tried for ever",
        "core/failing/failure.py",
        "            most=ERRORS_TO_BLOCK,\n",
        "            most=3000,\n",
        FAILURE,
    ),
    Mutation(
        "a crash uses the diagnosis up",
        "core/retry.py",
        "    ended = [d for d in runs if d.failure in COUNTED]\n",
        "    ended = runs\n",
        FAILURE,
    ),
    Mutation(
        "a check that fails for two reasons counts as one error twice",
        "core/failing/stuck.py",
        "    return run.failure, run.why, run.output\n",
        '    return run.failure, run.why, ""\n',
        FAILURE,
    ),
    Mutation(
        "a crash counts as a circle",
        "core/failing/stuck.py",
        "    own = [run for run in runs if run.failure in COUNTED]\n",
        "    own = list(runs)\n",
        FAILURE,
    ),
    Mutation(
        "success between does not break a circle",
        "core/failing/stuck.py",
        "            ends = []\n        elif",
        "            pass\n        elif",
        FAILURE,
    ),
    Mutation(
        "an answer does not start the looking anew",
        "core/failing/stuck.py",
        "    start = max((q.after for q in s.questions.values() if not q.open), default=0)\n",
        "    start = 0\n",
        FAILURE,
    ),
    Mutation(
        "the diagnosis is not asked for in the brief",
        "units/sections.py",
        "    if start.diagnose:\n",
        "    if not start.diagnose:\n",
        ("tests/units/test_diagnosis.py",),
    ),
    Mutation(
        "the choice forgets that it is a diagnosis",
        "core/derive.py",
        "carry=go.carry, diagnose=go.diagnose\n",
        "carry=go.carry\n",
        ("tests/units/test_diagnosis.py",),
    ),
    Mutation(
        "a remedy does not say how it ends",
        "units/execute_task.py",
        'f"set it aside with walkaway skip {slice_}, then answer retry",',
        'f"set it aside with walkaway skip {slice_}",',
        REMEDIES,
    ),
    Mutation(
        "a red target is not looked at again by a new run",
        "core/retry.py",
        '    "red-target",\n',
        '    "red",\n',
        REMEDIES,
    ),
    Mutation(
        "a new run answers a conflict",
        "core/retry.py",
        "= MENDED | {\n",
        '= MENDED | {\n    "conflict",\n',
        REMEDIES,
    ),
    Mutation(
        "a slice that is set aside lets its milestone go on unanswered",
        "core/derive.py",
        "    if question := s.blocked_by:\n",
        "    if (question := s.blocked_by) and not any(x.aside for x in s.slices.values()):\n",
        ("tests/core/test_remedies.py",),
    ),
    Mutation(
        "an unplanned milestone is judged by its title",
        "core/plan/scope.py",
        "    if not s.slices:\n",
        '    if s.slices == "none":\n',
        SCOPE,
    ),
    Mutation(
        "a validation that found something is the last",
        "core/plan/scope.py",
        '    if any(note.kind == "validate-milestone" for note in s.notes.values()):\n',
        '    if any(note.kind == "" for note in s.notes.values()):\n',
        SCOPE,
    ),
    Mutation(
        "a word in a criterion makes a milestone trivial",
        "core/plan/scope.py",
        "    small = _first(SMALL, about, negated=True)\n",
        "    small = _first(SMALL, text, negated=True)\n",
        SCOPE,
    ),
    Mutation(
        "a denial reaches over the end of its clause",
        "core/plan/scope.py",
        "[^.,;:!?\\n]*\\Z",
        "[^!?\\n]*\\Z",
        SCOPE,
    ),
    Mutation(
        "a denial reaches as far as it likes",
        "core/plan/scope.py",
        "NEGATED_WITHIN = 30",
        "NEGATED_WITHIN = 300",
        SCOPE,
    ),
    Mutation(
        "a plan that touches many files is trivial",
        "core/plan/scope.py",
        "    if files > FILES_MOST:\n",
        "    if files > FILES_COMPLEX:\n",
        SCOPE,
    ),
    Mutation(
        "a trivial milestone is completed twice over: validated, too",
        "units/validate_milestone.py",
        " and takes(s, KIND):\n",
        " and KIND in s.policy.steps:\n",
        ("tests/engine/test_workflow.py",),
    ),
    Mutation(
        "a trivial milestone waits for its validation for ever",
        "units/complete_milestone.py",
        'not takes(s, "validate-milestone")',
        '"validate-milestone" not in s.policy.steps',
        ("tests/engine/test_workflow.py",),
    ),
]
