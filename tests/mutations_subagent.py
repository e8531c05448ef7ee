"""Faults in what sub-agents may and cost: each is caught by the tests it names (see `tests.mutations`)."""

from tests.mutations import Mutation

SUBAGENTS = ("tests/agent/test_subagents.py",)

SUBAGENT_MUTATIONS: list[Mutation] = [
    Mutation(
        "a sub-agent has a budget of its own",
        "agent/subagents.py",
        "                meter=self.meter,\n",
        "",
        SUBAGENTS,
    ),
    Mutation(
        "a sub-agent may do what its sender may",
        "agent/subagents.py",
        "        grant=ERRAND,\n",
        "        grant=sender.grant,\n",
        SUBAGENTS,
    ),
    Mutation(
        "every agent may send sub-agents",
        "agent/conversation.py",
        "self._send = send if brief.grant.subagents else None",
        "self._send = send",
        SUBAGENTS,
    ),
    Mutation(
        "a sub-agent passes no gate before its calls",
        "agent/subagents.py",
        "        await self._hands.watch(self._watch.gate)\n",
        "",
        SUBAGENTS,
    ),
    Mutation(
        "sub-agents are sent while a gate waits",
        "agent/conversation.py",
        'why = held.why if isinstance(held, Refuse) else ""',
        'why = ""',
        SUBAGENTS,
    ),
    Mutation(
        "a sub-agent works on while a gate waits",
        "agent/subagents.py",
        'held.why if isinstance(held, Refuse) else ""',
        '""',
        SUBAGENTS,
    ),
    Mutation(
        "a task that quotes a unit is taken for it",
        "agent/subagents.py",
        'prompt=f"{about}{errand.task.strip()}\\n\\nUnit: {unit} (attempt {sender.attempt})\\n",',
        'prompt=f"Unit: {unit} (attempt {sender.attempt})\\n\\n{about}{errand.task.strip()}\\n",',
        SUBAGENTS,
    ),
    Mutation(
        "a spent budget is told to the sender",
        "agent/subagents.py",
        "except (LimitReached, AgentStuck, ProviderDown) as error:",
        "except Exception as error:",
        SUBAGENTS,
    ),
    Mutation(
        "what others hold may be spent as well",
        "agent/limits.py",
        " - sum(held for _, held in self._held)",
        "",
        SUBAGENTS,
    ),
    Mutation(
        "sub-agents work one after the other",
        "agent/subagents.py",
        "MOST_AT_ONCE = 4\n",
        "MOST_AT_ONCE = 1\n",
        SUBAGENTS,
    ),
    Mutation(
        "a slice that was left out is asked about again with others",
        "units/research_slices.py",
        "s.note(research_slice.KIND, x.id) or s.note(KIND, x.id)",
        "s.note(research_slice.KIND, x.id)",
        ("tests/units/test_units.py",),
    ),
    Mutation(
        "a slice is told what was found about another",
        "units/notes.py",
        'each["slice"] == short(target)',
        'each["slice"] != short(target)',
        ("tests/units/test_units.py",),
    ),
    Mutation(
        "slices are looked into before a person was asked about them",
        "units/research_slices.py",
        "takes(s, research_slice.KIND) or s.policy.gates:",
        "takes(s, research_slice.KIND):",
        ("tests/units/test_units.py",),
    ),
]
