"""The composition root: configuration in, a project ready to work out. The only module that knows everyone."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from walkaway import config, layout, store
from walkaway.core.asking.gates import chosen
from walkaway.core.brief import Limits
from walkaway.core.errors import Usage
from walkaway.core.ids import MilestoneId, Scope, Sha
from walkaway.core.model import Policy
from walkaway.core.plan.profile import steps
from walkaway.engine.result import Ended, Progress, RunOptions, Status, Tell
from walkaway.entry import dead_workers
from walkaway.layout import Layout
from walkaway.store import Store
from walkaway.store.journal import Entry

if TYPE_CHECKING:
    from walkaway.doctor.check import Patient
    from walkaway.engine.run import Trouble
    from walkaway.hooks import ProjectHooks
    from walkaway.views.board import Board
    from walkaway.views.gates import GateShown
    from walkaway.views.units import RunRow
    from walkaway.views.workers import WorkerShown

__all__ = ["App", "Ended", "Progress", "RunOptions", "Runner", "Status", "Tell", "build", "open_project"]


class Runner(Protocol):
    """What a surface does with a worker."""

    def run(self, options: RunOptions) -> Ended:
        """Work until something ends the run."""
        ...

    def drain(self, why: str, /) -> None:
        """Finish the running unit, then stop; from any thread."""
        ...

    def cancel(self, why: str, /) -> None:
        """End the running unit now and stop; from any thread."""
        ...


@dataclass(frozen=True)
class App:
    """One project, open."""

    place: Layout
    settings: config.Settings
    store: Store

    def policy(self) -> Policy:
        """Return the settings that decide, as they are stored with a milestone."""
        c = self.settings.config
        return Policy(
            checks=c.checks.commands,
            checks_timeout_s=c.checks.timeout_s,
            tests=c.checks.tests,
            setup=c.setup.commands,
            attempts=c.limits.attempts,
            usd=c.usd,
            steps=steps(
                c.workflow.profile, discuss=c.workflow.discuss, uat=c.workflow.uat_dispatch, gated=c.workflow.depth_gate
            ),
            scope=c.workflow.scope,
            questions=c.workflow.questions,
            gates=chosen(depth=c.workflow.depth_gate, slices=c.workflow.require_slice_discussion),
            planning=c.workflow.planning,
        )

    def pool(self, tell: Tell, workers: int, overrides: Sequence[str], target: str | None = None) -> Runner:
        """Return several workers, each a process of its own with the same settings; nothing is started yet."""
        from walkaway import proc  # noqa: PLC0415 - only a run pays for it
        from walkaway.engine.fleet.pool import Pool  # noqa: PLC0415

        self._require_key()
        config.environment(self.place)
        self.place.resolve(config.resolved(self.settings.config, self.place, target or ""))
        sets = [word for override in overrides for word in ("--set", override)]

        def start(more: Sequence[str], log: Path) -> proc.Background:
            command = [sys.executable, "-m", "walkaway", *sets, "auto", "--json", "--member", *more]
            return proc.Background(command, self.place.root, log, proc.environment())

        return Pool(store=self.store, start=start, workers=workers, logs=self.place.workers, tell=tell)

    def _health(self) -> "list[Trouble]":
        """Return what keeps any unit from being begun here."""
        from walkaway.doctor import health  # noqa: PLC0415 - only a run asks
        from walkaway.engine.run import Trouble  # noqa: PLC0415

        return [Trouble(code=f.code, text=f.message, remedy=f.fix) for f in health(self._patient)]

    @cached_property
    def _patient(self) -> "Patient":
        from walkaway.doctor.check import Patient  # noqa: PLC0415 - as above

        return Patient(root=self.place.root, state=self.place.state)

    @cached_property
    def hooks(self) -> "ProjectHooks":
        """The user's commands around units; `Usage` where one names units that are not."""
        return _hooks(self.settings.config, self.place)

    def _require_key(self) -> None:
        named = self.settings.config.model.api_key_env
        if named and not self.settings.key:
            raise Usage(f"The variable {named}, which model.api_key_env names, is not set: set it to the model's key.")

    def runner(self, tell: Tell, target: str | None = None) -> Runner:
        """Return a worker on this project, its model, its repository and its checks; nothing is started yet."""
        from walkaway.agent.harness import Harness  # noqa: PLC0415 - only a run pays for all this
        from walkaway.agent.settings import ModelSettings  # noqa: PLC0415
        from walkaway.clock import SystemClock  # noqa: PLC0415
        from walkaway.core.schedule import eligible  # noqa: PLC0415
        from walkaway.engine.worker import Worker, WorkerSettings  # noqa: PLC0415
        from walkaway.git import GitWorkspace, Guard  # noqa: PLC0415
        from walkaway.redact import Redactor  # noqa: PLC0415
        from walkaway.verify import ProjectChecks  # noqa: PLC0415

        c = self.settings.config
        self._require_key()
        config.environment(self.place)
        self.place.resolve(config.resolved(self.settings.config, self.place, target or ""))
        model = ModelSettings(name=c.model.name, base_url=c.model.base_url, api_key=self.settings.key or None)
        agent = Harness(
            model,
            now=SystemClock().now,
            redact=Redactor([self.settings.key]),
            guard=Guard(Path(self.place.root), self.store.is_integration),
        )
        if eligible(self.store.overview()):
            agent.warm()  # while the milestone is opened; where nothing is to do, nothing is imported
        return Worker(
            store=self.store,
            agent=agent,
            workspace=GitWorkspace(Path(self.place.root), Path(self.place.state)),
            verifier=ProjectChecks(),
            tell=tell,
            settings=WorkerSettings(
                policy=self.policy(),
                ttl_s=c.lease.ttl_s,
                state_dir=self.place.state,
                model=c.model.name,
                health=self._health,
                hooks=self.hooks if self.hooks.hooks else None,
                limits=Limits(requests=c.limits.requests, idle_s=c.limits.idle_s, total_s=c.limits.unit_time_s),
            ),
        )

    @property
    def model_name(self) -> str:
        """The model that does the work, and where it is if not at its provider's."""
        model = self.settings.config.model
        return f"{model.name} at {model.base_url}" if model.base_url else model.name

    def board(self) -> "Board":
        """Return the project at a glance."""
        from walkaway.core.derive import derive  # noqa: PLC0415 - for those who look
        from walkaway.core.schedule import eligible  # noqa: PLC0415
        from walkaway.units import UNITS  # noqa: PLC0415
        from walkaway.views.board import board  # noqa: PLC0415

        overview = self.store.overview()
        todo = eligible(overview)
        asked = [row.id for row in overview.milestones if row.open_questions and row.id not in todo[:1]]
        active = self.store.snapshot(Scope(todo[0])) if todo else None
        others = [self.store.snapshot(Scope(m)) for m in asked]
        decision = derive(active, UNITS) if active else None
        pauses = self.store.controls.read().in_force
        return board(overview, active, others, decision, dead_workers(overview), pauses)

    def workers(self) -> "tuple[WorkerShown, ...]":
        """Return who is at work, and at what."""
        from walkaway.views.workers import LeaseShown, workers  # noqa: PLC0415 - for those who look

        overview = self.store.overview()
        held = {row.id: self.store.lease_history(Scope(row.id))[-1:] for row in overview.milestones if row.holder}
        leases = {
            m: LeaseShown(fencing_token=lease.fencing_token, acquired_at=lease.acquired_at)
            for m, last in held.items()
            for lease in last
        }
        return workers(overview, leases, dead_workers(overview))

    def gates(self) -> "tuple[GateShown, ...]":
        """Return every asking of every gate."""
        from walkaway.views.gates import gates_of  # noqa: PLC0415 - for those who look

        return gates_of(self.store.snapshot(scope) for scope in self.store.gates_asked())

    def runs(self) -> "dict[str, tuple[RunRow, ...]]":
        """Return every run of every unit, by milestone."""
        from walkaway.views.units import runs  # noqa: PLC0415 - for those who look

        scopes = [Scope(row.id) for row in self.store.overview().milestones]
        return {scope: runs(self.store.snapshot(scope), self.store.costs(scope)) for scope in scopes}

    def keep(self, milestone: MilestoneId, sha: Sha) -> None:
        """Keep a commit of a milestone under a rescue ref; raise `GitFailed` where this clone does not hold it."""
        from walkaway.git import GitWorkspace  # noqa: PLC0415 - for those who undo

        GitWorkspace(Path(self.place.root), Path(self.place.state)).keep(milestone, sha)

    def close(self) -> None:
        """Close the database."""
        self.store.close()


def build(place: Layout, overrides: Iterable[str] = ()) -> App:
    """Open the project at ``place``; raise `Usage` for a setting, `StoreUnavailable` for a database, that is wrong."""
    settings = config.load(place, overrides)
    c = settings.config
    opened = store.connect(config.url(c, place), place.project(), synchronous=c.database.synchronous)
    return App(place=place, settings=settings, store=opened)


def open_project(overrides: Iterable[str] = ()) -> App:
    """Open the project that the working directory or `WALKAWAY_PROJECT` is about; `Usage` where there is none."""
    return build(layout.find(), overrides)


def project_if_any(overrides: Iterable[str] = ()) -> App | None:
    """Open the project around the working directory; None where there is none."""
    place = layout.around(layout.starting_point())
    return build(place, overrides) if place else None


def workflow_folders() -> tuple[tuple[str, str], ...]:
    """Return where workflows are looked for, the first first, as (origin, directory): the project's, the user's."""
    place = layout.around(layout.starting_point())
    user = ("user", os.path.join(os.path.dirname(config.user_file()), "workflows"))
    return (("project", os.path.join(place.state, "workflows")), user) if place else (user,)


def _hooks(c: config.Config, place: Layout) -> "ProjectHooks":
    from walkaway.core.plan.hook import AFTER, BEFORE, Hook  # noqa: PLC0415 - for those who run or trust them
    from walkaway.hooks import ProjectHooks, Trust  # noqa: PLC0415
    from walkaway.units import UNITS  # noqa: PLC0415

    listed = tuple(
        Hook(name=hook.name, when=when, units=hook.units, run=hook.run)
        for when, hooks in ((BEFORE, c.hooks.before), (AFTER, c.hooks.after))
        for hook in hooks
    )
    kinds = {unit.kind for unit in UNITS}
    for hook in listed:
        if strange := next((kind for kind in hook.units if kind not in kinds), ""):
            raise Usage(f"The hook '{hook.name}' names the unit '{strange}', which is none of {', '.join(kinds)}.")
    trust = Trust(os.path.join(os.path.dirname(config.user_file()), "trust.json"), place.root)
    return ProjectHooks(hooks=listed, trust=trust, timeout_s=c.hooks.timeout_s)


def hooks(overrides: Iterable[str] = ()) -> "ProjectHooks":
    """Return the user's commands around units, with what of them is trusted; the database is not opened."""
    place = layout.find()
    return _hooks(config.load(place, overrides).config, place)


def listed_settings(overrides: Iterable[str] = ()) -> tuple[config.Setting, ...]:
    """Return every setting of the project with its origin; the database is not opened."""
    return config.load(layout.find(), overrides).listed()


# ---- what other packages offer ------------------------------------------------------------------------------------


def journal_line(entry: Entry) -> dict[str, object]:
    """Return an entry of the journal for programs."""
    return {
        "v": 1,
        "type": "event",
        "scope": entry.scope,
        "rev": entry.rev,
        "i": entry.i,
        "at": entry.at,
        "by": entry.by,
        "fence": {"epoch": entry.epoch, "token": entry.fencing_token},
        "event": entry.type,
        "body": json.loads(entry.body),
    }


def patient(overrides: Iterable[str] = ()) -> "Patient":
    """Return the project for the doctor to look at, with whatever of it can be opened."""
    from walkaway.core.errors import WalkawayError  # noqa: PLC0415 - only here are errors findings
    from walkaway.doctor.check import ModelAccess, Patient  # noqa: PLC0415

    place = layout.find()
    try:
        settings = config.load(place, overrides)
        hooks = _hooks(settings.config, place)
    except WalkawayError as error:
        return Patient(root=place.root, state=place.state, configuration=str(error))
    c = settings.config
    model = ModelAccess(
        name=c.model.name,
        base_url=c.model.base_url or "",
        key_variable=c.model.api_key_env or "",
        has_key=bool(settings.key) or config.has_usual_key(c.model.name),
        usual_variables=config.usual_keys(c.model.name),
    )
    url = config.url(c, place)
    patient = Patient(root=place.root, state=place.state, model=model, url=url, hooks=hooks)
    try:
        opened = store.connect(url, place.project(), synchronous=c.database.synchronous)
    except WalkawayError as error:
        return replace(patient, database=str(error))
    return replace(patient, store=opened)
