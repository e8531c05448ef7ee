"""Faults in the registers: each is caught by the tests it names (see `tests.mutations`)."""

from tests.mutations import Mutation

RULES = ("tests/core/test_registers.py",)
STORED = ("tests/store/test_conformance.py::TestRegisters",)
HELD = ("tests/engine/test_registers.py",)
AGENT = ("tests/agent/test_side.py",)
SHOWN = ("tests/surfaces/test_registers.py",)

REGISTER_MUTATIONS: list[Mutation] = [
    Mutation(
        "the second to supersede a decision hides the first",
        "core/registers/facts.py",
        "superseded_by=old.superseded_by or made.id",
        "superseded_by=made.id",
        RULES,
    ),
    Mutation(
        "memories do not fade",
        "core/registers/model.py",
        "memory.confidence - DECAY * (unused // STALE_AFTER)",
        "memory.confidence",
        RULES,
    ),
    Mutation(
        "what was forgotten is told",
        "core/registers/model.py",
        "kept = [m for m in self.memories.values() if not m.forgotten]",
        "kept = [*self.memories.values()]",
        (*RULES, *SHOWN),
    ),
    Mutation(
        "a number is given twice",
        "store/registers/table.py",
        "SET {name} = {name} + 1 WHERE",
        "SET {name} = 1 WHERE",
        STORED,
    ),
    Mutation(
        "what was decided is told in the journal alone",
        "store/door.py",
        "            table.record(tx, self.project, registered, at.now)\n",
        "            pass\n",
        (*STORED, *SHOWN),
    ),
    Mutation(
        "secrets are told to models",
        "cli/plans/registers.py",
        "if any(redact(text) != text for text in texts if text):",
        "if any(redact(text) == text + text for text in texts if text):",
        SHOWN,
    ),
    Mutation(
        "what an agent saved is lost when its report is accepted",
        "engine/judge.py",
        "events = [*facts, *held, DispatchCompleted",
        "events = [*facts, *held[:0], DispatchCompleted",
        HELD,
    ),
    Mutation(
        "a saved thing is held in the process only",
        "engine/dispatch.py",
        "report, held = clean(desk.accepted), holding.text()",
        'report, held = clean(desk.accepted), ""',
        HELD,
    ),
    Mutation(
        "a number is spent on what cannot be",
        "engine/registers/side.py",
        "        try:\n            evolve(self._registers(), ",
        "        self.store.reserve(kind or RegisterKind.MEMORY)\n        try:\n            evolve(self._registers(), ",
        HELD,
    ),
    Mutation(
        "agents save secrets",
        "agent/conversation.py",
        "if self._bench.secretive(arguments):",
        "if not arguments:",
        AGENT,
    ),
    Mutation(
        "agents are told nothing of the registers",
        "engine/dispatch.py",
        "_left_behind(run, s, work), known),",
        "_left_behind(run, s, work)),",
        HELD,
    ),
    Mutation(
        "a brief grows with the registers",
        "units/registers.py",
        "fit(lines, DECISIONS_BYTES)",
        "fit(lines, 10 * DECISIONS_BYTES)",
        ("tests/units/test_registers.py",),
    ),
    Mutation(
        "a mapped requirement counts as covered by nothing",
        "projection/registers.py",
        "unmapped = sum(q.uncovered for q in active)",
        "unmapped = len(active)",
        ("tests/projection/test_registers.py",),
    ),
]
