"""Faults in what brings a milestone and its target together: each is caught by the tests it names."""

from tests.mutations import Mutation

CONFLICTS = ("tests/engine/test_conflicts.py",)
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
]
