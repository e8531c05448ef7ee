"""Say of a slice or task that it is not to be done, or that it is to be done after all."""

from dataclasses import dataclass

from walkaway.commands.command import Command, Project, changeable, record
from walkaway.core.errors import Usage
from walkaway.core.events import Event, Reopened, SetAside
from walkaway.core.ids import is_target, milestone_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Which slice or task (as in ``M001/S02`` or ``M001/S02/T01``), and why."""

    target: str
    reason: str = ""


def _do(project: Project, form: Form, fact: Event, done: str) -> str:
    if not is_target(form.target) or "/" not in form.target:
        raise Usage(f"'{form.target}' is no slice or task: write its id, as in M001/S02 or M001/S02/T01.")
    s = changeable(project, milestone_of(form.target))
    if form.target not in s.slices and form.target not in s.tasks:
        raise Usage(f"There is no {form.target}; walkaway status shows the plan.")
    record(project, s, fact)
    return f"{form.target} {done}. Go on with: walkaway auto"


def _skip(project: Project, form: Form) -> str:
    fact = SetAside(target=form.target, how="skipped", why=form.reason)
    return _do(project, form, fact, "is skipped; what depends on it may start")


def _defer(project: Project, form: Form) -> str:
    fact = SetAside(target=form.target, how="deferred", why=form.reason)
    return _do(project, form, fact, "is deferred; what depends on it waits until you reopen or skip it")


def _reopen(project: Project, form: Form) -> str:
    return _do(project, form, Reopened(target=form.target, why=form.reason), "is to be done")


SKIP = Command(name="skip", help="Give up a slice or task.", form=Form, run=_skip)
DEFER = Command(name="defer", help="Leave a slice for later.", form=Form, run=_defer)
REOPEN = Command(name="reopen", help="Have a slice or task done after all, or again.", form=Form, run=_reopen)
