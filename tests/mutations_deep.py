"""Faults in the start of a project that is planned in depth: each is caught by the tests it names (`tests.mutations`)."""

from tests.mutations import Mutation

START = ("tests/core/test_start.py",)
ENGINE = ("tests/engine/test_start.py",)
UNITS = ("tests/units/test_units.py",)

DEEP_MUTATIONS: list[Mutation] = [
    Mutation(
        "what nobody confirmed is settled",
        "core/plan/start.py",
        "    if note.kind in OF_PROJECT and not _confirmed(s, note.kind):\n",
        "    if False:\n",
        START,
    ),
    Mutation(
        "a draft that was declined is not written anew",
        "core/plan/start.py",
        "    return gates.last(s, gate(held)) is not None and not _confirmed(s, held)\n",
        "    return False\n",
        (*START, *UNITS),
    ),
    Mutation(
        "what was confirmed anew does not replace what stood",
        "core/plan/start.py",
        "(before is None or before.report != draft.report)",
        "before is None",
        START,
    ),
    Mutation(
        "each milestone begins the project",
        "core/plan/start.py",
        "    found = [note for note in (s.elsewhere.get(kind), s.note(kind, s.milestone.id)) if note]\n",
        "    found = [note for note in (s.note(kind, s.milestone.id),) if note]\n",
        START,
    ),
    Mutation(
        "the oldest stands for the project",
        "core/plan/start.py",
        "    return max(found, key=lambda note: note.at, default=None)\n",
        "    return min(found, key=lambda note: note.at, default=None)\n",
        START,
    ),
    Mutation(
        "no milestone sees what another settled",
        "store/loading.py",
        "    return {note.kind: note for note in found}\n",
        "    return {}\n",
        ENGINE,
    ),
    Mutation(
        "a confirmed list never reaches the register",
        "engine/registers/settling.py",
        "    if note.kind == start.REQUIREMENTS:\n",
        "    if False:\n",
        ENGINE,
    ),
    Mutation(
        "a requirement that is listed again gets a second number",
        "engine/registers/settling.py",
        "    there = {plain(q.description): q for q in r.requirements.values()}\n",
        "    there = {q.description: q for q in r.requirements.values()}\n",
        ENGINE,
    ),
    Mutation(
        "research that found nothing is taken for research",
        "units/research_project.py",
        "    if len(blocked) < len(start.PARTS):\n",
        "    if True:\n",
        START,
    ),
]
