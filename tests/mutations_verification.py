"""Faults in what is believed and why: each is caught by the tests it names (see `tests.mutations`)."""

from tests.mutations import Mutation

JUDGED = ("tests/engine/test_verification.py",)
COMMAND = ("tests/core/test_command.py",)

KNOWN = ("tests/core/test_known.py",)
BEFORE = ("tests/engine/test_known_failures.py",)

PROOF = ("tests/engine/test_proof.py",)
WEAKENED = ("tests/core/test_weakened.py",)

VERIFICATION_MUTATIONS: list[Mutation] = [
    Mutation(
        "any failing test shows that the task's can fail",
        "engine/landing/proof.py",
        '    return any("::" not in name or name.partition("::")[0] in tests for name in names - before)\n',
        "    return bool(names)\n",
        PROOF,
    ),
    Mutation(
        "a check without names shows nothing",
        "engine/landing/proof.py",
        "        return e.result is Result.PASS\n",
        "        return False\n",
        PROOF,
    ),
    Mutation(
        "what cannot be told is flagged",
        "engine/landing/proof.py",
        "    return _said(run, s, d, silent or replace(tried[-1], result=Result.FAIL))\n",
        "    return _said(run, s, d, replace(tried[-1], result=Result.FAIL))\n",
        PROOF,
    ),
    Mutation(
        "tests that cannot fail are never refused",
        "engine/landing/proof.py",
        '            if s.policy.tests == "refuse":\n',
        '            if s.policy.tests == "never":\n',
        PROOF,
    ),
    Mutation(
        "the files stay as they are changed",
        "git/worktrees.py",
        "            if back:\n",
        "            if back and not path:\n",
        ("tests/engine/test_ports.py",),
    ),
    Mutation(
        "a test that moved is a test less",
        "core/failing/tests.py",
        "    return sum(len(pattern.findall(text)) for text in files.values())\n",
        '    return sum(len(pattern.findall(text)) for name, text in files.items() if name == "t")\n',
        WEAKENED,
    ),
    Mutation(
        "a folder that changed is one path",
        "git/objects.py",
        '            yield from _differing(common, folders[0], folders[1], path + b"/")\n',
        "            yield path\n",
        ("tests/git/test_objects.py",),
    ),
    Mutation(
        "names are believed although the runner counts others",
        "core/failing/known.py",
        "    return names if 0 < len(names) == how_many else None\n",
        "    return names\n",
        KNOWN,
    ),
    Mutation(
        "an output that was cut is believed",
        "core/failing/known.py",
        "_CUT.search(output) or ",
        "",
        KNOWN,
    ),
    Mutation(
        "any exit code is one of failing tests",
        "core/failing/known.py",
        "    if exit_code not in _TESTS_FAILED and not by_make:\n",
        "    if exit_code is None:\n",
        KNOWN,
    ),
    Mutation(
        "a runner that stops early is believed",
        "core/failing/known.py",
        " or (_STOPS_EARLY.search(command) and _GO_ON not in command)",
        "",
        KNOWN,
    ),
    Mutation(
        "one known failure excuses all",
        "core/verdict.py",
        "0 < evidence.failing == evidence.known",
        "0 < evidence.known",
        BEFORE,
    ),
    Mutation(
        "what fails is known because it fails",
        "engine/checks.py",
        "known=names & _failing(there.command, there.result, there.exit_code, said)",
        "known=names",
        BEFORE,
    ),
    Mutation(
        "a target that moved is known by what it was",
        "engine/integrate.py",
        "tree=sha, base=tip)",
        "tree=sha, base=m.target_sha)",
        BEFORE,
    ),
    Mutation(
        "the command of a task's plan is not run",
        "engine/checks.py",
        "return (*commands, own) if own and own not in commands else commands",
        "return commands",
        JUDGED,
    ),
    Mutation(
        "a command of the plan that cannot run waits for a person",
        "engine/judge.py",
        'planned="" if own in projects else own',
        'planned=""',
        JUDGED,
    ),
    Mutation(
        "a project's check that cannot run is the agent's fault",
        "engine/judge.py",
        'planned="" if own in projects else own',
        "planned=own",
        JUDGED,
    ),
    Mutation(
        "a task that met a blocker has to pass its check",
        "units/execute_task.py",
        'return "" if wrong(command) or (report and report.blocker.strip()) else command',
        'return "" if wrong(command) else command',
        JUDGED,
    ),
    Mutation(
        "words in an old plan are run",
        "units/execute_task.py",
        'return "" if wrong(command) or (',
        'return "" if (',
        JUDGED,
    ),
    Mutation(
        "words are taken for a command",
        "units/cutting.py",
        "if each.verify.strip() and (wrong := command.wrong(each.verify)):",
        "if False:",
        (*JUDGED, "tests/units"),
    ),
    Mutation("sentences are commands", "core/plan/command.py", "if sentence or ", "if ", COMMAND),
    Mutation("a check may do anything", "core/plan/command.py", "if form.search(text)", "if False", COMMAND),
]
