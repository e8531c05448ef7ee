"""Faults in workflows that people write: each is caught by the tests it names (see `tests.mutations`)."""

from tests.mutations import Mutation

STEPS = ("tests/engine/test_steps.py",)
DEFINED = ("tests/workflows/test_definition.py",)

STEP_MUTATIONS: list[Mutation] = [
    Mutation(
        "a model plans a person's steps anew",
        "core/derive.py",
        "        if s.scripted and not unit.scripted:\n",
        "        if False:\n",
        STEPS,
    ),
    Mutation(
        "a step's list is never read", "core/derive.py", "if s.scripted and (listed", "if False and (listed", STEPS
    ),
    Mutation(
        "a list is read before what it depends on is done",
        "core/derive.py",
        "if x.status is SliceStatus.PENDING and s.free(x)), None)",
        "if x.status is SliceStatus.PENDING), None)",
        STEPS,
    ),
    Mutation("a step stays open", "units/steps.py", "    if slice_.step is None or any(", "    if True or any(", STEPS),
    Mutation("nobody is asked to look", "units/steps.py", 'if slice_.step.reviewer == "person":', "if False:", STEPS),
    Mutation(
        "a list is as long as it likes",
        "engine/steps.py",
        "text is None or len(found) > MOST_ITEMS",
        "text is None",
        STEPS,
    ),
    Mutation(
        "an item is done twice",
        "core/plan/step.py",
        "[*dict.fromkeys(",
        "[*list(",
        STEPS,
    ),
    Mutation("redo does nothing", "core/answer.py", 'if words == "redo" and', 'if words == "again" and', STEPS),
    Mutation(
        "a step is looked at once however often it is done",
        "units/review_step.py",
        "if note is None or note.at < slice_.completed_at:",
        "if note is None:",
        STEPS,
    ),
    Mutation("an item in a command is not quoted", "core/plan/expand.py", "shlex.quote(item)", "item", STEPS),
    Mutation(
        "steps wait for each other unseen",
        "workflows/definition.py",
        "if s.id not in done and not (set(s.requires) - ids)",
        "if False",
        DEFINED,
    ),
    Mutation(
        "a path climbs out of the project", "workflows/definition.py", 'and ".." not in path.split("/")', "", DEFINED
    ),
    Mutation(
        "a hole stays open",
        "workflows/definition.py",
        'elif hole != "item" and not params.get(hole):',
        "elif False:",
        DEFINED,
    ),
]
