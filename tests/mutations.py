"""Break the code on purpose, one fault at a time, and see that a test notices: ``python -m tests.mutations [NAME…]``.

The first suite of a prototype was green, plausible, and blind to four of fourteen such faults. Each fault here replaces
one piece of text, which must occur exactly once, in a copy of the tree; a fault that no test notices is a hole in the
suite, and the exit code is 1.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
COPIED = ("src", "tests", "pyproject.toml")
LONGEST_S = 600


@dataclass(frozen=True, slots=True)
class Mutation:
    """One fault: where ``old`` stands in ``file`` (below ``src/walkaway``), ``new`` stands instead."""

    name: str
    file: str
    old: str
    new: str
    tests: Sequence[str]


SUITE = "tests/store/test_conformance.py"
HOLDING = (f"{SUITE}::TestHolding",)
TAKING = (f"{SUITE}::TestTakingOver",)
FENCE = (f"{SUITE}::TestFence",)
SETTLING = (f"{SUITE}::TestSettling",)
CLOCKS = (f"{SUITE}::TestClocks",)
COMMIT = (f"{SUITE}::TestCommit",)
INSTANT = (f"{SUITE}::TestOneInstant",)
CONSTRAINTS = (f"{SUITE}::TestConstraints",)
WAITING = (f"{SUITE}::TestWaiting",)
TRANSACTIONS = (f"{SUITE}::TestTransactions",)
JOURNAL = (f"{SUITE}::TestJournal",)
USAGE = (f"{SUITE}::TestUsage",)
PAUSES = (f"{SUITE}::TestPauses",)
COMMANDS = (f"{SUITE}::TestCommands",)
KV = (f"{SUITE}::TestKv",)
RECOVERY = (f"{SUITE}::TestRecovery",)
HISTORY = (f"{SUITE}::TestLeaseHistory",)
MODEL = ("tests/store/test_model.py",)
RULES = ("tests/core",)

MUTATIONS: list[Mutation] = [
    # the fourteen of the design that live in core and store
    Mutation(
        "no fence in commit",
        "store/door.py",
        "AND (:person = 1 OR ({leases.FENCED}))",
        "AND (:person = 1 OR :worker <> :worker || 'x' OR ({leases.FENCED}))",
        FENCE,
    ),
    Mutation(
        "take-over without a new fence",
        "store/leases.py",
        "fencing_token = fencing_token + 1,",
        "fencing_token = CASE WHEN fencing_token = 0 THEN 1 ELSE fencing_token END,",
        TAKING,
    ),
    Mutation(
        "expect is ignored",
        "store/door.py",
        "wanted = by.rev if isinstance(by, Seen) else expect",
        "wanted = by.rev if isinstance(by, Seen) else None",
        FENCE,
    ),
    Mutation(
        "a person's revision is ignored",
        "store/door.py",
        "wanted = by.rev if isinstance(by, Seen) else expect",
        "wanted = None if isinstance(by, Seen) else expect",
        FENCE,
    ),
    Mutation(
        "one event is not journalled",
        "store/journal.py",
        "for i, (fact, body) in enumerate(facts)",
        "for i, (fact, body) in enumerate(facts[:4])",
        JOURNAL,
    ),
    Mutation(
        "read-committed reads",
        "store/postgres.py",
        "ISOLATION LEVEL REPEATABLE READ READ ONLY",
        "ISOLATION LEVEL READ COMMITTED READ ONLY",
        INSTANT,
    ),
    Mutation(
        "reads without a transaction",
        "store/sqlite.py",
        'connection.execute("BEGIN")\n',
        "connection.in_transaction\n",
        INSTANT,
    ),
    Mutation(
        "open questions are ignored",
        "core/derive.py",
        "if question := s.blocked_by:",
        "if (question := s.blocked_by) and not s.questions:",
        RULES,
    ),
    Mutation(
        "a unit is claimed in spite of an open question",
        "core/evolve.py",
        "if s.blocked_by is not None:",
        "if s.blocked_by is not None and not s.questions:",
        RULES,
    ),
    Mutation(
        "expiry is ignored",
        "store/leases.py",
        "OR expires_at <= {CLOCK} OR",
        "OR expires_at >= 0 OR",
        HOLDING,
    ),
    Mutation(
        "no back-off",
        "core/retry.py",
        "if runs and runs[-1].next_run_at > s.now:",
        "if runs and runs[-1].next_run_at > s.now + 1e12:",
        RULES,
    ),
    Mutation(
        "no limit of attempts",
        "core/retry.py",
        "if len(found) >= (s.policy.attempts if",
        "if len(found) >= (s.policy.attempts + 1000 if",
        RULES,
    ),
    Mutation(
        "a finished dispatch moves",
        "core/lifecycle.py",
        "DispatchFailed: dict.fromkeys(LIVE, _D.FAILED),",
        "DispatchFailed: dict.fromkeys(_D, _D.FAILED),",
        RULES,
    ),
    # leases and fences
    Mutation(
        "the epoch is not part of the fence",
        "store/leases.py",
        "AND fencing_token = :token AND epoch = {_EPOCH}",
        "AND fencing_token = :token",
        TAKING,
    ),
    Mutation(
        "the worker is not part of the fence",
        "store/leases.py",
        "status = 'held' AND worker_id = :worker AND epoch",
        "status = 'held' AND worker_id <> :worker || 'x' AND epoch",
        FENCE,
    ),
    Mutation(
        "a lease that was given back still writes",
        "store/leases.py",
        "status = 'held' AND worker_id = :worker AND epoch",
        "worker_id = :worker AND epoch",
        FENCE,
    ),
    Mutation(
        "the lease of another project writes",
        "store/door.py",
        "        if by.project == self.project:\n            row = tx.one(\n                ADVANCE,\n                project=self.project,",
        "        if by.project:\n            row = tx.one(\n                ADVANCE,\n                project=by.project,",
        FENCE,
    ),
    Mutation(
        "a living holder is taken for dead",
        "store/fleet/workers.py",
        "return alive(who) is False",
        "return alive(who) is not None",
        TAKING,
    ),
    Mutation(
        "a holder that cannot be seen is taken for dead",
        "store/fleet/workers.py",
        "return alive(who) is False",
        "return not alive(who)",
        TAKING,
    ),
    Mutation(
        "a dead holder is waited for",
        "store/leases.py",
        "OR (worker_id = :dead AND fencing_token = :dead_token))",
        "OR (worker_id = :dead AND fencing_token = :dead_token AND 1 = 0))",
        TAKING,
    ),
    Mutation(
        "a take-over leaves a running dispatch live",
        "store/store.py",
        "        elif live is not None:\n",
        "        elif live is not None and live.seq > 1000:\n",
        SETTLING,
    ),
    Mutation(
        "a take-over cancels a reported dispatch",
        "store/store.py",
        "if live is not None and live.status is DispatchStatus.REPORTED:",
        "if live is not None and live.status is DispatchStatus.PAUSED:",
        SETTLING,
    ),
    Mutation(
        "a lapsed lease is not renewed",
        "store/leases.py",
        "WHERE project_id = :project AND scope = :scope AND {FENCED}\nRETURNING rev",
        "WHERE project_id = :project AND scope = :scope AND {FENCED} AND expires_at > {CLOCK}\nRETURNING rev",
        TAKING,
    ),
    Mutation(
        "time goes back with the host's clock",
        "store/leases.py",
        'CLOCK = "(CASE WHEN {now} > clock THEN {now} ELSE clock END)"',
        'CLOCK = "({now} + 0 * clock)"',
        CLOCKS,
    ),
    Mutation(
        "claims are made in anybody's name",
        "store/door.py",
        "        if own != (event.worker, event.epoch, event.token):",
        "        if own == ():",
        FENCE,
    ),
    # coordination
    Mutation("a pause holds nobody", "store/fleet/controls.py", "AND step = 0\n", "AND step = 7\n", PAUSES),
    Mutation("a stop ends no run", "store/fleet/controls.py", "s.rev > w.since", "s.rev > w.since + 1000", PAUSES),
    Mutation("a stop ends later runs, too", "store/fleet/controls.py", "s.rev > w.since", "s.rev > 0", PAUSES),
    Mutation(
        "a pause is consumed twice",
        "store/fleet/controls.py",
        "    if resume is not None and resume not in control.pauses:\n",
        "    if resume is not None and resume == '':\n",
        PAUSES,
    ),
    Mutation(
        "a step stays when its milestone is taken",
        "store/fleet/controls.py",
        "if pause.step and key == scope]",
        "if pause.step and key == '']",
        PAUSES,
    ),
    Mutation(
        "an order is completed by anybody",
        "store/fleet/commands.py",
        "status IN ({_from(Move.COMPLETE)}) AND claimed_by = :by",
        "status IN ({_from(Move.COMPLETE)}) AND :by = :by",
        COMMANDS,
    ),
    Mutation(
        "an order is never delivered again",
        "store/fleet/commands.py",
        "            tx.run(LAPSED, project=self._project)\n",
        "",
        COMMANDS,
    ),
    Mutation(
        "an order is delivered for ever",
        "store/fleet/commands.py",
        "            bury_worn(tx, self._project)\n",
        "",
        COMMANDS,
    ),
    Mutation(
        "an order to one goes to another", "store/fleet/commands.py", "AND worker IN ('', :by)\n)", "\n)", COMMANDS
    ),
    Mutation(
        "soft state is replaced whatever was seen",
        "store/fleet/kv.py",
        "AND key = :key AND version = :version",
        "AND key = :key AND :version = :version",
        KV,
    ),
    Mutation(
        "a living worker is recovered",
        "store/store.py",
        "            workers.require_dead(tx, self.project, worker)\n",
        "",
        RECOVERY,
    ),
    Mutation(
        "the orders of a dead worker are forgotten",
        "store/fleet/workers.py",
        "    given = commands.give_back(tx, project, worker)\n",
        "    given = 0\n",
        RECOVERY,
    ),
    Mutation(
        "a lease leaves no history",
        "store/leases.py",
        "    tx.run(OPENED, project=wanted.project, scope=wanted.scope)\n",
        "",
        HISTORY,
    ),
    Mutation(
        "a revocation names no token",
        "store/leases.py",
        'worker_id = :worker AND fencing_token = :token\n"""  # noqa: S608 - the inserted text is',
        'worker_id = :worker AND :token > 0\n"""  # noqa: S608 - the inserted text is',
        HISTORY,
    ),
    # the door
    Mutation(
        "half a transaction stays in SQLite",
        "store/sqlite.py",
        '                    if connection.in_transaction:\n                        connection.execute("ROLLBACK")\n                    raise\n',
        '                    if connection.in_transaction:\n                        connection.execute("COMMIT")\n                    raise\n',
        TRANSACTIONS,
    ),
    Mutation(
        "half a transaction stays in PostgreSQL",
        "store/postgres.py",
        '        connection.execute("ROLLBACK")\n\n\n',
        '        connection.execute("COMMIT")\n\n\n',
        TRANSACTIONS,
    ),
    Mutation(
        "a remembered state is used though somebody wrote since",
        "store/door.py",
        "if at._replace(rev=at.rev - 1, now=then.now) == then:",
        "if at._replace(rev=then.rev, now=then.now) == then:",
        (*COMMIT, *MODEL),
    ),
    Mutation(
        "rows are written in the order of their tables, not changes first",
        "store/loading.py",
        "            elif value is not old[key]:\n                tx.run(_update(table, type(value)), **own, **to_row(value))\n",
        "            elif value is not old[key]:\n                made.append((table, value))\n",
        (*COMMIT, *MODEL),
    ),
    Mutation(
        "a row of one table is not written",
        "store/loading.py",
        "for name, (table, _) in COLLECTIONS.items():\n        yield table, getattr(before, name), getattr(after, name)",
        "for name, (table, _) in COLLECTIONS.items():\n        yield table, getattr(before, name), getattr(before if name == 'evidence' else after, name)",
        COMMIT,
    ),
    Mutation(
        "the policy is not written",
        "store/loading.py",
        "if after.policy != before.policy:",
        "if after.policy == before.policy:",
        COMMIT,
    ),
    Mutation(
        "what no database can hold is stored",
        "store/codec.py",
        'if "\\\\u0000" not in body and (body.isascii() or _is_clean(body)):',
        'if "\\\\u0000" in body or "\\\\u0000" not in body:',
        COMMIT,
    ),
    Mutation(
        "siblings come in the order of the alphabet",
        "core/ids.py",
        "return len(identifier), identifier",
        "return 0, identifier",
        RULES,
    ),
    Mutation(
        "an unknown price counts as nothing",
        "store/loading.py",
        "if calls == priced else None",
        "if calls else None",
        USAGE,
    ),
    Mutation(
        "writers of SQLite take their lock late",
        "store/sqlite.py",
        'connection.execute("BEGIN IMMEDIATE")',
        'connection.execute("BEGIN DEFERRED")',
        ("tests/store/test_sqlite.py",),
    ),
    Mutation(
        "a wait misses what was written before it",
        "store/connections.py",
        '        before = getattr(self._own, "seen", None)\n',
        "        before = version\n",
        WAITING,
    ),
    Mutation(
        "nobody is told of a write",
        "store/postgres.py",
        '                connection.execute(f"NOTIFY {CHANNEL}")\n',
        "",
        WAITING,
    ),
    # the schema
    Mutation(
        "two live dispatches of a unit",
        "store/migrations/0001_initial.sql",
        "CREATE UNIQUE INDEX one_live_dispatch_per_unit",
        "CREATE INDEX one_live_dispatch_per_unit",
        CONSTRAINTS,
    ),
    Mutation(
        "two live dispatches of a milestone",
        "store/migrations/0001_initial.sql",
        "CREATE UNIQUE INDEX one_live_dispatch_per_milestone",
        "CREATE INDEX one_live_dispatch_per_milestone",
        CONSTRAINTS,
    ),
    Mutation(
        "schema.sql and the migrations drift apart",
        "store/schema.sql",
        "CREATE INDEX usage_of_scope ON usage (project_id, scope);\n",
        "",
        ("tests/store/test_schema.py",),
    ),
    Mutation(
        "no backup before a migration",
        "store/driver.py",
        "    if found and todo:\n",
        "    if found > 1000 and todo:\n",
        ("tests/store/test_schema.py",),
    ),
    Mutation(
        "a newer schema is used",
        "store/schema.py",
        "    if found > wanted:\n",
        "    if found > wanted + 1000:\n",
        ("tests/store/test_schema.py",),
    ),
    Mutation(
        "processes migrate PostgreSQL side by side",
        "store/postgres.py",
        '            tx.one("SELECT pg_advisory_xact_lock(:key)", key=MIGRATION_LOCK)\n',
        "",
        ("tests/store/test_schema.py",),
    ),
    Mutation(
        "what was true before the lock is believed",
        "store/postgres.py",
        '            tx.one("SELECT pg_advisory_xact_lock(:key)", key=MIGRATION_LOCK)\n'
        "            apply_newer(tx, scripts, present=_has_schema(tx), back_up=_back_up)\n",
        "            there = _has_schema(tx)\n"
        '            tx.one("SELECT pg_advisory_xact_lock(:key)", key=MIGRATION_LOCK)\n'
        "            apply_newer(tx, scripts, present=there, back_up=_back_up)\n",
        ("tests/store/test_schema.py",),
    ),
    Mutation(
        "a network file system is trusted",
        "store/sqlite.py",
        "if kind := network_filesystem(folder):",
        "if kind := network_filesystem('/'):",
        ("tests/store/test_sqlite.py",),
    ),
    Mutation(
        "a cut connection is used again and again",
        "store/postgres.py",
        "if found is not None and not found.closed:",
        "if found is not None:",
        ("tests/store/test_postgres.py",),
    ),
    # deciding
    Mutation(
        "a crash consumes an attempt",
        "core/retry.py",
        "failed = [d for d in runs if d.failure in JUDGED]",
        "failed = [d for d in runs if d.failure]",
        RULES,
    ),
    Mutation(
        "a success does not start the count again",
        "core/retry.py",
        "        if run.status is DispatchStatus.COMPLETED:\n            runs = []\n",
        "        if run.status is DispatchStatus.COMPLETED:\n            runs = runs or []\n",
        RULES,
    ),
    Mutation(
        "an answer does not start the count again",
        "core/retry.py",
        "if run.seq > start]",
        "if run.seq > start - start]",
        RULES,
    ),
    Mutation(
        "a unit may kill its workers for ever",
        "core/failing/failure.py",
        "CRASHES_TO_BLOCK = 3",
        "CRASHES_TO_BLOCK = 3000",
        RULES,
    ),
    Mutation(
        "stuck and crash take turns for ever",
        "core/retry.py",
        "            found = [hit.run for hit in circles]\n",
        "            found = runs[_last_index(runs, kind) :]\n",
        RULES,
    ),
    Mutation(
        "money that is gone is spent",
        "core/derive.py",
        "if left_usd(s.policy, s.usage) == 0:",
        "if left_usd(s.policy, s.usage) == -1:",
        RULES,
    ),
    Mutation(
        "a pass outweighs a failure",
        "core/verdict.py",
        "        if found.result is Result.FAIL and not excused(found):\n",
        "        if found.result is Result.FAIL and not excused(found) and len(evidence) == 1:\n",
        RULES,
    ),
    Mutation(
        "a slice is done with open tasks",
        "core/plan/change.py",
        "if not t.inactive]:",
        "if t.status is None]:",
        RULES,
    ),
    Mutation(
        "a milestone is validated with open slices",
        "core/evolve.py",
        "if not x.inactive]:",
        "if x.status is None]:",
        RULES,
    ),
    Mutation(
        "another commit than the prepared one is done",
        "core/evolve.py",
        "    if event.commit != s.milestone.prepared_sha:\n",
        "    if not event.commit:\n",
        RULES,
    ),
    Mutation(
        "an heir adopts under an old fence",
        "core/evolve.py",
        "if (event.epoch, event.token) <= (old.epoch, old.fencing_token):",
        "if event.token < 0:",
        RULES,
    ),
    Mutation(
        "a slice is planned before what it depends on",
        "units/plan_slice.py",
        "if slice_.status is SliceStatus.PENDING and not slice_.sketch and s.free(slice_):",
        "if slice_.status is SliceStatus.PENDING:",
        ("tests/units",),
    ),
    Mutation(
        "a retry does not say why",
        "units/sections.py",
        "    if start.why:\n",
        "    if not start.why:\n",
        ("tests/units",),
    ),
]


def _copy(to: Path) -> None:
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, to / name)


def _noticed(mutation: Mutation, tree: Path) -> bool:
    """Whether a test fails once the fault is in; the tree is as before afterwards."""
    path = tree / "src" / "walkaway" / mutation.file
    whole = path.read_text(encoding="utf-8")
    if (count := whole.count(mutation.old)) != 1:
        raise SystemExit(f"{mutation.name}: its text occurs {count} times in {mutation.file}; bring it up to date.")
    path.write_text(whole.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        return _fails(mutation.tests, tree)
    finally:
        path.write_text(whole, encoding="utf-8")


def _fails(tests: Sequence[str], tree: Path) -> bool:
    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "NO_SHRINK": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=no", *tests]
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired:
        return True
    if done.returncode not in {0, 1}:
        raise SystemExit(f"pytest could not run {tests}: {done.stdout}{done.stderr}")
    return done.returncode == 1


def every() -> list[Mutation]:
    """Return all faults, of all topics."""
    from tests.mutations_deep import DEEP_MUTATIONS
    from tests.mutations_engine import ENGINE_MUTATIONS
    from tests.mutations_gates import GATE_MUTATIONS
    from tests.mutations_hooks import HOOK_MUTATIONS
    from tests.mutations_registers import REGISTER_MUTATIONS
    from tests.mutations_retry import RETRY_MUTATIONS
    from tests.mutations_steering import STEERING_MUTATIONS
    from tests.mutations_steps import STEP_MUTATIONS
    from tests.mutations_subagent import SUBAGENT_MUTATIONS
    from tests.mutations_units import UNIT_MUTATIONS
    from tests.mutations_verification import VERIFICATION_MUTATIONS
    from tests.mutations_workflow import WORKFLOW_MUTATIONS

    return [
        *MUTATIONS,
        *ENGINE_MUTATIONS,
        *REGISTER_MUTATIONS,
        *STEP_MUTATIONS,
        *WORKFLOW_MUTATIONS,
        *GATE_MUTATIONS,
        *VERIFICATION_MUTATIONS,
        *HOOK_MUTATIONS,
        *STEERING_MUTATIONS,
        *RETRY_MUTATIONS,
        *UNIT_MUTATIONS,
        *DEEP_MUTATIONS,
        *SUBAGENT_MUTATIONS,
    ]


def main(names: Sequence[str]) -> int:
    """Try every fault, or those whose names contain one of ``names``; return 1 if one goes unnoticed."""
    chosen = [m for m in every() if not names or any(name in m.name for name in names)]
    missed = []
    with tempfile.TemporaryDirectory(prefix="walkaway-mutations-") as folder:
        tree = Path(folder)
        _copy(tree)
        for mutation in chosen:
            begin = time.monotonic()
            noticed = _noticed(mutation, tree)
            if not noticed:
                missed.append(mutation.name)
            word = "caught" if noticed else "MISSED"
            sys.stdout.write(f"{word}  {mutation.name}  ({time.monotonic() - begin:.1f} s)\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - len(missed)} of {len(chosen)} faults were caught.\n")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
