"""Faults in conflicts and in what is asked about quality: each is caught by the tests it names."""

from tests.mutations import Mutation

CONFLICTS = ("tests/engine/test_conflicts.py",)
QUALITY = ("tests/engine/test_quality.py",)
PORTS = ("tests/engine/test_ports.py",)

UNIT_MUTATIONS: list[Mutation] = [
    Mutation(
        "a resolution with markers in it goes to the checks",
        "engine/landing/conflict.py",
        "    if not marked:\n",
        "    if not marked or d.attempt:\n",
        CONFLICTS,
    ),
    Mutation(
        "refused work of an earlier conflict is taken for this one",
        "engine/landing/conflict.py",
        "    return any(d.seq > met for d in s.dispatches.values() if d.commit_sha == carry)\n",
        "    return any(d.seq != met for d in s.dispatches.values() if d.commit_sha == carry)\n",
        CONFLICTS,
    ),
    Mutation(
        "a conflict is given to a unit without end",
        "engine/landing/conflict.py",
        "    if _rounds(s) >= MOST_ROUNDS:\n",
        "    if _rounds(s) > 10 * MOST_ROUNDS:\n",
        CONFLICTS,
    ),
    Mutation(
        "an answer to a conflict does not look at the target anew",
        "core/evolve.py",
        "    if old.reason == FailureKind.CONFLICT:",
        "    if old.reason == FailureKind.GIT:",
        CONFLICTS,
    ),
    Mutation(
        "a resolution is no merge with the target",
        "git/workspace.py",
        "        return merge.joined(self.repo, checkout, sha, onto) if onto else sha\n",
        "        return sha\n",
        PORTS,
    ),
    Mutation(
        "a marker is looked for anywhere in a line",
        "git/merge.py",
        '_MARKS = "^(<<<<<<< |>>>>>>> )"\n',
        '_MARKS = "(<<<<<<<|>>>>>>>)"\n',
        PORTS,
    ),
    Mutation(
        "what conflicts is not told from what fails",
        "core/lifecycle.py",
        "    IntegrationConflicted: {_D.REPORTED: _D.FAILED},\n",
        "    IntegrationConflicted: dict.fromkeys(LIVE, _D.FAILED),\n",
        ("tests/core/test_evolve.py",),
    ),
    Mutation(
        "an empty answer is a pass",
        "units/quality.py",
        "verdict=PASS if text.strip() else OMITTED",
        "verdict=PASS",
        QUALITY,
    ),
    Mutation(
        "a plan is looked at after it was begun",
        "units/__init__.py",
        "        evaluate_gate.UNIT,\n        execute_task.UNIT,\n",
        "        execute_task.UNIT,\n        evaluate_gate.UNIT,\n",
        QUALITY,
    ),
    Mutation(
        "a flag is kept and told to nobody",
        "units/execute_task.py",
        "        quality.flagged(s, slice_.id),\n",
        "",
        QUALITY,
    ),
    Mutation(
        "a milestone passes with a flag",
        "units/validate_milestone.py",
        '    if flagged and report.verdict == "pass":\n',
        '    if flagged and report.verdict == "fail":\n',
        ("tests/units/test_units.py",),
    ),
]
