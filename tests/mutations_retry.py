"""Faults in what follows from a failure: each is caught by the tests it names (see `tests.mutations`)."""

from tests.mutations import Mutation

FAILURE = ("tests/core/test_failure.py",)
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
        '"ready-to-integrate", "red-target"',
        '"ready-to-integrate", "red"',
        REMEDIES,
    ),
    Mutation(
        "a new run answers a conflict",
        "core/retry.py",
        '= MENDED | {"not-ready",',
        '= MENDED | {"conflict", "not-ready",',
        REMEDIES,
    ),
    Mutation(
        "a slice that is set aside lets its milestone go on unanswered",
        "core/derive.py",
        "    if question := s.blocked_by:\n",
        "    if (question := s.blocked_by) and not any(x.aside for x in s.slices.values()):\n",
        ("tests/core/test_remedies.py",),
    ),
]
