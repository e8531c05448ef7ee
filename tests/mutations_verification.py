"""Faults in what is believed and why: each is caught by the tests it names (see `tests.mutations`)."""

from tests.mutations import Mutation

JUDGED = ("tests/engine/test_verification.py",)
COMMAND = ("tests/core/test_command.py",)

VERIFICATION_MUTATIONS: list[Mutation] = [
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
