"""Throw in a thought while the work goes on, or say what counts from now on."""

from dataclasses import dataclass

from walkaway.commands import pause
from walkaway.commands.command import Command, Project
from walkaway.core.errors import IllegalTransition, StaleSnapshot, Usage
from walkaway.core.events import NoteTaken
from walkaway.core.ids import MilestoneId, Scope
from walkaway.core.model import MilestoneStatus, Seen, Snapshot
from walkaway.core.plan import wish
from walkaway.core.schedule import eligible
from walkaway.store.blobs import text_hash

TRIES = 5
"""How often a thought is recorded anew where the worker was faster; each try takes a few milliseconds."""

MOST = 2_000
"""Bytes of what is thrown in: it becomes a part of briefs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What to say, and of which milestone (None: of the one that is worked on)."""

    text: str
    milestone: MilestoneId | None = None


def _capture(project: Project, form: Form) -> str:
    words = " ".join(form.text.split())
    if words.lower().rstrip(".!") in wish.STOP_WORDS:
        return pause.run(project, pause.Form(milestone=form.milestone, reason=f"captured: {words}"))
    note = _record(project, form, wish.CAPTURE)
    return f"{note} is kept; it is sorted in before the next unit."


def _override(project: Project, form: Form) -> str:
    note = _record(project, form, wish.OVERRIDE)
    return f"{note} counts from the next unit on; the open plans of its milestone are brought in line first."


def _record(project: Project, form: Form, kind: str) -> str:
    """Write the words down as a note of the milestone, whatever a worker records meanwhile."""
    words = " ".join(form.text.split())
    if not words:
        raise Usage("Say what you want, in your own words.")
    if len(words.encode()) > MOST:
        raise Usage(f"That is longer than {MOST} bytes; hand it in as a specification with walkaway new.")
    for left in reversed(range(TRIES)):
        s = _open(project, form.milestone)
        note = wish.said(s, kind, words, text_hash(words))
        seen = Seen(project=s.project, scope=s.scope, rev=s.rev, who=project.who)
        try:
            project.store.commit(seen, [NoteTaken(note=note)], texts=[words])
        except StaleSnapshot:
            if not left:
                raise
        except IllegalTransition as error:
            raise Usage(str(error)) from error
        else:
            return note.id
    raise AssertionError


def _open(project: Project, milestone: MilestoneId | None) -> Snapshot:
    """Return the milestone that is meant; raise `Usage` where its plan can take nothing in any more."""
    todo = eligible(project.store.overview(), milestone)
    if not todo:
        named = f"{milestone} is" if milestone else "There is nothing that is"
        raise Usage(f"{named} not worked on; hand it in as a specification of its own with walkaway new.")
    s = project.store.snapshot(Scope(todo[0]))
    if s.scripted:
        raise Usage(f"The steps of {s.milestone.id} are fixed by a person; tell the agent at work with walkaway steer.")
    if s.milestone.status is MilestoneStatus.VALIDATED:
        raise Usage(f"{s.milestone.id} is validated and about to be merged; hand it in with walkaway new.")
    return s


CAPTURE = Command(name="capture", help="Throw in a thought while the work goes on.", form=Form, run=_capture)
OVERRIDE = Command(name="override", help="Say what counts, whatever the plan says.", form=Form, run=_override)
