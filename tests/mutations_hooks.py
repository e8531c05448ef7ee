"""Faults in the user's own commands around units: each is caught by the tests it names (see `tests.mutations`)."""

from tests.mutations import Mutation

AROUND = ("tests/engine/test_hooks.py",)
TRUST = ("tests/hooks/test_trust.py",)

HOOK_MUTATIONS: list[Mutation] = [
    Mutation(
        "a hook that fails is passed over",
        "hooks/run.py",
        "        if done.exit_code != 0:\n",
        "        if done.exit_code is None:\n",
        AROUND,
    ),
    Mutation(
        "a hook after a unit may be untrusted when it begins",
        "hooks/run.py",
        "concerned if moment.when == BEFORE else mine",
        "mine",
        AROUND,
    ),
    Mutation(
        "what was changed since is still trusted",
        "hooks/trust.py",
        "State.TRUSTED if known == digest(hook, self.root) else State.CHANGED",
        "State.TRUSTED",
        TRUST,
    ),
    Mutation(
        "the files that a hook names are not looked at",
        "hooks/trust.py",
        "        told.update(json.dumps([name, len(content)]).encode() + content)\n",
        '        told.update(b"")\n',
        TRUST,
    ),
    Mutation(
        "trust in one project is trust in all",
        "hooks/trust.py",
        "        return self._all().get(os.path.realpath(self.root), {})\n",
        "        return {n: d for names in self._all().values() for n, d in names.items()}\n",
        TRUST,
    ),
    Mutation(
        "a link is not what it leads to",
        "hooks/trust.py",
        "_inside(path, root) or _inside(os.path.realpath(path), os.path.realpath(root))",
        "_inside(os.path.realpath(path), os.path.realpath(root))",
        TRUST,
    ),
    Mutation(
        "any unit can be left out",
        "core/plan/hook.py",
        '    return key.kind in {"execute-task", "research-slices", *STEPS}\n',
        "    return bool(key.kind)\n",
        AROUND,
    ),
    Mutation(
        "what a gate shows can be left out",
        "core/plan/hook.py",
        "    if key.kind == DISCUSS and s.policy.gates:\n",
        "    if key.kind == DISCUSS and not s:\n",
        AROUND,
    ),
    Mutation(
        "a unit that was left out is chosen again",
        "core/derive.py",
        "            if not left_out(s, key):\n",
        "            if key:\n",
        AROUND,
    ),
    Mutation(
        "a validation that was left out is waited for",
        "core/plan/scope.py",
        " or left_out(s, UnitKey(step, s.milestone.id))",
        "",
        AROUND,
    ),
    Mutation(
        "a hook that was asked after a skip",
        "hooks/run.py",
        "                break\n",
        "                continue\n",
        AROUND,
    ),
    Mutation(
        "words after the instructions are lost",
        "core/plan/hook.py",
        "[*before, words, *after]",
        "[*before, words]",
        AROUND,
    ),
    Mutation(
        "a hook stops nothing",
        "engine/hooks/around.py",
        "        if isinstance(each, Stop):\n",
        "        if isinstance(each, Skip):\n",
        AROUND,
    ),
]
