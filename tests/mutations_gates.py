"""Faults in questions and gates: each is caught by the tests it names (see `tests.mutations`)."""

from tests.mutations import Mutation

GATES = ("tests/core/test_gates.py",)
ASKING = ("tests/agent/test_asking.py",)
ENGINE = ("tests/engine/test_asking.py",)
I29 = ("tests/coordination/test_i29_gates.py",)

GATE_MUTATIONS: list[Mutation] = [
    Mutation(
        "a gate that was declined holds nothing",
        "core/asking/gates.py",
        "    return status(s, asked) is not GateStatus.CONFIRMED\n",
        "    return status(s, asked) is GateStatus.PENDING\n",
        (*GATES, *ENGINE),
    ),
    Mutation(
        "asking a gate again revokes nothing",
        "core/asking/gates.py",
        "    return next((q for q in reversed([*s.questions.values()]) if q.gate == gate), None)\n",
        "    return next((q for q in s.questions.values() if q.gate == gate), None)\n",
        GATES,
    ),
    Mutation(
        "a milestone asks the gate of another",
        "core/asking/gates.py",
        "    if held not in (s.milestone.id, *OF_PROJECT):\n",
        "    if not held:\n",
        GATES,
    ),
    Mutation(
        "a gate takes whatever words its asker wants",
        "core/lifecycle.py",
        'return "" if question.options == GATE_OPTIONS else',
        'return "" if question.options else',
        GATES,
    ),
    Mutation(
        "a setting answers a gate",
        "core/evolve.py",
        "    if old.gate and event.who == BY_POLICY:\n",
        "    if old.gate and not event.who:\n",
        (*GATES, *I29),
    ),
    Mutation(
        "an agent is told to assume at a gate",
        "engine/asking/agent.py",
        "        if not asked.gate and s.policy.questions == agents.ASSUME:\n",
        "        if s.policy.questions == agents.ASSUME:\n",
        ENGINE,
    ),
    Mutation(
        "a shell command passes a gate that waits",
        "agent/policy.py",
        "    if not gate or tool == ASK:\n",
        '    if not gate or tool in (ASK, "bash"):\n',
        ASKING,
    ),
    Mutation(
        "a report passes a gate that waits",
        "agent/conversation.py",
        "            if isinstance(held, Refuse):\n",
        "            if isinstance(held, Refuse) and call.tool_name != report.NAME:\n",
        ASKING,
    ),
    Mutation(
        "asking a waiting gate again is held to be repetition",
        "agent/conversation.py",
        "            self._stuck.forget()\n",
        "",
        ASKING,
    ),
    Mutation(
        "whoever asks about another gate is never stopped",
        "agent/conversation.py",
        "        if asked.gate and asked.gate == await self._hands.watch(self._watch.pending):\n",
        "        if await self._hands.watch(self._watch.pending):\n",
        ASKING,
    ),
    Mutation(
        "an agent at work hears nothing of a gate",
        "engine/dispatch.py",
        "        pending=asking.pending,\n",
        "",
        (*ENGINE, *I29),
    ),
    Mutation(
        "a written answer is given again and again",
        "engine/asking/answers.py",
        "                self._used.add((name, question.unit))\n",
        "",
        ENGINE,
    ),
    Mutation(
        "a reason answers a gate",
        "engine/asking/answers.py",
        "        for name in (question.id, question.gate or question.reason):\n",
        "        for name in (question.id, question.gate, question.reason):\n",
        (*ENGINE, *I29),
    ),
    Mutation(
        "a question ends the run as if somebody had stopped it",
        "engine/dispatch.py",
        "    if isinstance(error, Unanswered) and not cancelled:\n",
        "    if isinstance(error, Unanswered) and cancelled:\n",
        ENGINE,
    ),
    Mutation(
        "a milestone is planned while its context is not confirmed",
        "units/discuss_milestone.py",
        "    if gates.holds(s, gate) and not (asked and asked.open):",
        "    if asked and gates.holds(s, gate) and not asked.open:",
        ENGINE,
    ),
    Mutation(
        "a slice is talked about again and again",
        "core/asking/gates.py",
        "q.reason == DISCUSS_SLICE and not q.open for q in",
        "q.reason == DISCUSS_SLICE and q.open for q in",
        GATES,
    ),
]
