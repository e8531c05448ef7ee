"""Faults in the engine: each is caught by the tests it names (see `tests.mutations`)."""

from tests.mutations import Mutation

VERIFICATION = ("tests/engine/test_verification.py",)
INTEGRATION = ("tests/engine/test_integration.py",)
DIRECTING = ("tests/engine/test_directing.py",)
POOL = ("tests/engine/test_pool.py",)
WAYS_OUT = ("tests/engine/test_ways_out.py",)
ZOMBIES = ("tests/engine/test_zombies.py",)
HEARTBEAT = ("tests/engine/test_heartbeat.py",)
HAPPY = ("tests/engine/test_happy_path.py",)
DEATHS = ("tests/engine/test_die_at_every_point.py::test_whoever_dies_wherever_the_project_ends_in_the_same_state",)

ENGINE_MUTATIONS: list[Mutation] = [
    # effects follow facts
    Mutation(
        "report before seal",
        "engine/dispatch.py",
        """\
    sha = run.workspace.seal(checkout, message, work=wrote, onto=onto)
    reported = DispatchReported(dispatch=work.id, report=text_hash(report), commit=sha, held=text_hash(held))
    return run.commit([reported], texts=[report, held]), checkout
""",
        """\
    reported = DispatchReported(
        dispatch=work.id, report=text_hash(report), commit=checkout.base, held=text_hash(held)
    )
    s = run.commit([reported], texts=[report, held])
    run.workspace.seal(checkout, message, work=Effect.WRITE in work.unit.grant.effects)
    return s, checkout
""",
        HAPPY,
    ),
    Mutation(
        "publishing before the record",
        "engine/integrate.py",
        "    return run.commit([prepared]), verdict\n",
        "    run.workspace.publish(m.target_branch, tip, sha)\n    return run.commit([prepared]), verdict\n",
        DEATHS,
    ),
    Mutation(
        "landing in two commits",
        "engine/judge.py",
        "    after = run.commit(events)\n",
        "    run.commit(facts)\n    after = run.commit(events[len(facts) :])\n",
        DEATHS,
    ),
    Mutation(
        "the line is not drawn",
        "engine/opening.py",
        "            run.workspace.advance_line(s.milestone.id, s.milestone.head, seen)\n",
        "            pass\n",
        INTEGRATION,
    ),
    Mutation(
        "the line is drawn after the milestone is complete",
        "engine/integrate.py",
        "            run.workspace.advance_line(m.id, d.commit_sha, line)",
        "            pass",
        INTEGRATION,
    ),
    Mutation(
        "a superseded worker takes the line back",
        "git/workspace.py",
        "update(ref, sha, seen) if seen else create(ref, sha)",
        "update(ref, sha)",
        ("tests/engine/test_ports.py",),
    ),
    Mutation(
        "what a dead worker left on a complete milestone stays",
        "engine/worker.py",
        "return [r.id for r in overview.milestones if wanted in (None, r.id) and r.holder and r.id not in todo]",
        "return []",
        DEATHS,
    ),
    # the engine judges
    Mutation(
        "evidence is ignored",
        "engine/judge.py",
        '    verdict = judge(seen, planned="" if own in projects else own)\n',
        "    verdict = Accepted(verified=True)\n",
        VERIFICATION,
    ),
    Mutation(
        "the integrated tree is not judged",
        "engine/integrate.py",
        "    verdict = judge(seen)\n",
        "    verdict = Accepted(verified=True) if seen else judge(seen)\n",
        VERIFICATION,
    ),
    Mutation(
        "code that no check has seen is published",
        "engine/integrate.py",
        "    if not verdict.verified and not",
        "    if not s and not",
        VERIFICATION,
    ),
    Mutation(
        "the retry's brief lacks the output",
        "engine/dispatch.py",
        "texts = run.store.texts(sections.needs(s, work.unit, work.start))",
        "texts = run.store.texts(work.unit.needs(s, work.start.key.target))",
        VERIFICATION,
    ),
    Mutation(
        "the retry begins without the refused work",
        "engine/dispatch.py",
        "run.workspace.prepare(run.lease, s.milestone.head, conflict.carried(run, s, work.start))",
        'run.workspace.prepare(run.lease, s.milestone.head, type(work.start.carry)(""))',
        VERIFICATION,
    ),
    Mutation(
        "refused work is not rescued",
        "engine/judge.py",
        "    run.workspace.rescue(run.lease, d.id, d.commit_sha)\n",
        "",
        VERIFICATION,
    ),
    Mutation(
        "a set-up that fails is not run once more",
        "engine/checks.py",
        "        ran = _set_up(run, s, path, again=True)\n",
        "        raise\n",
        VERIFICATION,
    ),
    Mutation(
        "a check that cannot be run is not run once more",
        "engine/checks.py",
        "    set_up(run, s, path, again=True)\n    return run.verifier.run(command, path, timeout_s, run.cancel)\n",
        "    return done\n",
        VERIFICATION,
    ),
    Mutation(
        "recorded checks are run again",
        "engine/checks.py",
        "    known = _known(s, dispatch, phase, tree)\n",
        "    known = {} if commands else _known(s, dispatch, phase, tree)\n",
        VERIFICATION,
    ),
    Mutation(
        "an old failure outlives the answer",
        "engine/checks.py",
        "(e.result is Result.PASS or e.at > answered)",
        "(e.result is Result.PASS or e.at > 0 * answered)",
        VERIFICATION,
    ),
    Mutation(
        "the baseline is skipped",
        "engine/opening.py",
        "        s = _baseline(run, s)\n",
        "        pass\n",
        VERIFICATION,
    ),
    Mutation(
        "the baseline's verdict is ignored",
        "engine/opening.py",
        "        if isinstance(verdict, Accepted):\n",
        "        if verdict:\n",
        VERIFICATION,
    ),
    Mutation(
        "a question about the environment ends the dispatch",
        "engine/judge.py",
        "            run.ask(run.store.snapshot(run.scope), d.key, _cannot_judge(d, verdict))\n",
        "            _reject(run, s, d, Rejected(why=verdict.why, output=verdict.output))\n",
        VERIFICATION,
    ),
    # integration
    Mutation(
        "the prepared commit is not used again",
        "engine/integrate.py",
        "        if not s.milestone.prepared_sha:\n",
        "        if s:\n",
        INTEGRATION,
    ),
    Mutation(
        "a target that moves is followed for ever",
        "engine/integrate.py",
        "    if s.milestone.stale_count < MOVES_MOST:\n",
        "    if s:\n",
        INTEGRATION,
    ),
    Mutation(
        "another target is taken half-way",
        "engine/opening.py",
        "        if target not in (None, m.target_branch):\n",
        "        if not m:\n",
        INTEGRATION,
    ),
    # ways out
    Mutation(
        "a claim on an old choice",
        "engine/dispatch.py",
        "    s = run.commit([_claim(run, s, work)], expect=s.rev)\n",
        "    s = run.commit([_claim(run, s, work)])\n",
        WAYS_OUT,
    ),
    Mutation(
        "a cancelled dispatch is not settled",
        "engine/dispatch.py",
        "    if run.beat.lost:\n        raise error\n",
        "    if run.beat.lost or isinstance(error, Cancelled):\n        raise error\n",
        WAYS_OUT,
    ),
    Mutation(
        "a provider's limit consumes an attempt",
        "core/failing/failure.py",
        "    errors.ProviderDown: FailureKind.PROVIDER,\n",
        "    errors.ProviderDown: FailureKind.LIMIT,\n",
        WAYS_OUT,
    ),
    Mutation(
        "a provider is asked again at once",
        "engine/dispatch.py",
        "        next_run_at = s.now + provider_wait(",
        "        next_run_at = s.now + 0 * provider_wait(",
        WAYS_OUT,
    ),
    Mutation(
        "a limit of one unit consumes no attempt",
        "core/failing/failure.py",
        "    errors.LimitReached: FailureKind.LIMIT,\n",
        "    errors.LimitReached: FailureKind.PROVIDER,\n",
        WAYS_OUT,
    ),
    Mutation(
        "an agent may spend more than the run has left",
        "engine/dispatch.py",
        "return None if run.usd is None else run.usd - spent_usd(run.tally.usage)",
        "return None if run.usd is None else run.usd + spent_usd(run.tally.usage)",
        WAYS_OUT,
    ),
    Mutation(
        "the lease is not given back",
        "engine/worker.py",
        "            self._store.release(lease)",
        "            ()",
        WAYS_OUT,
    ),
    Mutation(
        "the worker does not say goodbye",
        "engine/worker.py",
        "            self._store.end_worker(self.id)\n",
        "",
        WAYS_OUT,
    ),
    Mutation("a newer schema is not seen", "engine/turn.py", "            run.store.guard()\n", "", WAYS_OUT),
    Mutation(
        "an upgraded package is not seen",
        "engine/turn.py",
        "            if stamp(run.settings.package) != self.package:\n",
        "            if not self.package:\n",
        WAYS_OUT,
    ),
    Mutation(
        "a drained worker begins another unit",
        "engine/turn.py",
        '        """Return why no further unit may start in this run, if so."""\n        if self.stopping.draining.is_set():\n',
        '        """Return why no further unit may start in this run, if so."""\n        if self.stopping.cancelled.is_set():\n',
        WAYS_OUT,
    ),
    Mutation(
        "a cancelled worker's agent goes on",
        "engine/fleet/halt.py",
        "            self._for_good = True\n            self.event.set()\n        self._interrupt()\n",
        "            self._for_good = True\n            self.event.set()\n",
        WAYS_OUT,
    ),
    Mutation(
        "a step goes on until its unit is done",
        "engine/turn.py",
        "if options.step and tally.turns and isinstance(decision, Start | Resume):",
        "if options.step and tally.units and isinstance(decision, Start | Resume):",
        WAYS_OUT,
    ),
    Mutation(
        "a start is given up because a person acted",
        "engine/opening.py",
        "        except StaleSnapshot:\n",
        "        except RecursionError:\n",
        WAYS_OUT,
    ),
    # leases
    Mutation(
        "no gate before a model call",
        "engine/dispatch.py",
        "        gate=run.gate,\n",
        "        gate=lambda: None,\n",
        ZOMBIES,
    ),
    Mutation(
        "a lost lease does not stop the work",
        "engine/worker.py",
        '        self._halt.end()\n        self._tell(Progress(kind="note", text=why))\n',
        '        self._tell(Progress(kind="note", text=why))\n',
        ZOMBIES,
    ),
    Mutation(
        "a paused project lets units begin",
        "engine/turn.py",
        "        if held := self.held():\n            return held\n",
        "",
        DIRECTING,
    ),
    Mutation(
        "a cancelled unit ends the run",
        "engine/dispatch.py",
        "    if not cancelled and not isinstance(event, DispatchFailed | DispatchStuck):\n",
        "    if not isinstance(event, DispatchFailed | DispatchStuck):\n",
        DIRECTING,
    ),
    Mutation(
        "a cancelled unit leaves the word to end behind",
        "engine/fleet/halt.py",
        "                if not self._for_good:\n                    self.event.clear()\n",
        "",
        DIRECTING,
    ),
    Mutation(
        "an interrupted run is told to nobody",
        "engine/dispatch.py",
        "    last = recover.interrupted(s, work.start.key)\n",
        "    last = None\n",
        DIRECTING,
    ),
    Mutation(
        "what is not ready is begun",
        "engine/turn.py",
        "                if ready(run, s, start.key) and",
        "                if s and",
        DIRECTING,
    ),
    Mutation(
        "what another worker holds is called blocked by one of several",
        "engine/worker.py",
        "        if first.held and self._options.member:\n",
        "        if first.held and self._options.step:\n",
        DIRECTING,
    ),
    Mutation(
        "a worker that died in a pool is not replaced",
        "engine/fleet/pool.py",
        "self.left.status is not Status.ERROR and not self.units",
        "not self.units",
        POOL,
    ),
    Mutation(
        "a worker that lost its lease does not look anew",
        "engine/worker.py",
        "            except LeaseLost as error:\n                self._tell(",
        "            except RecursionError as error:\n                self._tell(",
        ZOMBIES,
    ),
    Mutation(
        "a lease is trusted until it expires", "engine/heartbeat.py", "MARGIN = 0.1\n", "MARGIN = 0.0\n", HEARTBEAT
    ),
    Mutation(
        "trust counts from the answer",
        "engine/heartbeat.py",
        "            self._trusted_until = sent + self._ttl_s * (1 - MARGIN)\n",
        "            self._trusted_until = self._clock.monotonic() + self._ttl_s * (1 - MARGIN)\n",
        HEARTBEAT,
    ),
    Mutation(
        "trust counts from when the lease was granted, not asked for",
        "engine/heartbeat.py",
        "        self._trusted_until = since + ttl_s",
        "        self._trusted_until = clock.monotonic() + 0 * since + ttl_s",
        HEARTBEAT,
    ),
    Mutation(
        "a refused renewal is no loss",
        "engine/heartbeat.py",
        "        except LeaseLost as error:\n            why = str(error)\n",
        "        except LeaseLost:\n            return True\n",
        HEARTBEAT,
    ),
    Mutation(
        "silence is no loss",
        "engine/heartbeat.py",
        "            if sent < self._trusted_until + self._ttl_s:\n",
        "            if sent < self._trusted_until + 1000 * self._ttl_s:\n",
        HEARTBEAT,
    ),
    Mutation(
        "one silence is a loss",
        "engine/heartbeat.py",
        "            if sent < self._trusted_until + self._ttl_s:\n",
        "            if sent < self._trusted_until - 1000 * self._ttl_s:\n",
        HEARTBEAT,
    ),
    Mutation(
        "a broken heartbeat tells nobody",
        "engine/heartbeat.py",
        "            if not self._stop.is_set() and not self.lost:",
        "            if self._stop.is_set() and not self.lost:",
        HEARTBEAT,
    ),
]
