"""How much there is to a milestone: what its plan says -> trivial, standard or complex, and why.

Rule: words are looked for, never understood, and every doubt takes the full way. Only a milestone that is certainly
trivial goes without what `LEFT_OUT` names: its title or vision says so, nothing that it promises speaks against it,
it has few slices and touches few files, and no validation has found anything yet. A plan that grows is looked at anew.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from walkaway.core.ids import UnitKey
from walkaway.core.model import Milestone, Slice, Snapshot
from walkaway.core.plan.profile import left_out

AUTO = "auto"
LEFT_OUT = frozenset({"research-slice", "validate-milestone"})
"""Steps that a trivial milestone does not take, whatever its profile."""
SLICES_MOST = 2
FILES_MOST = 2
FILES_COMPLEX = 8
NEGATED_WITHIN = 30  # characters before the word

COMPLEX = (
    r"multi-?services?|micro-?services?|distributed|consensus|sagas?|eventual(?:ly)?[ -]consisten(?:t|cy)"
    r"|breaking changes?|schema redesign|re-?architect\w*|architectur\w*"
)
GRAVE = (
    r"security|secure|auth|authenticat\w+|authori[sz]\w+|log-?ins?|passwords?|secrets?|credentials?|permissions?"
    r"|migrat\w+|compliance|encrypt\w*|payments?|deploy\w*"
)
"""Small work on these is not trivial."""
BUILT = r"tests?|tested|back-?ends?|apis?|servers?|databases?|sql"
"""Neither is what brings one of these."""
SMALL = (
    r"single[ -]file|static (?:html|page|site)|landing page|readme|docs? only|documentation only"
    r"|typos?|spelling|renam(?:e|es|ed|ing)|client[ -]only|no back-?end|wording|comments? only"
)
_FILES = re.compile(r"\b(\d{1,4})\+? (?:\w+ )?files?\b", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:no|not|without|zero|skip\w*|drop\w*)\b[^.,;:!?\n]*\Z", re.IGNORECASE)


class Kind(StrEnum):
    """How much there is to a milestone; what is not planned yet is unknown."""

    TRIVIAL = "trivial"
    STANDARD = "standard"
    COMPLEX = "complex"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoped:
    """How much there is to a milestone, and what showed that."""

    kind: Kind
    why: str


def takes(s: Snapshot, step: str) -> bool:
    """Whether a milestone takes a step: its profile has it, no hook left it out, and the milestone is large enough."""
    if step not in s.policy.steps or left_out(s, UnitKey(step, s.milestone.id)):
        return False
    return not (step in LEFT_OUT and scope_of(s).kind is Kind.TRIVIAL)


def scope_of(s: Snapshot) -> Scoped:
    """Return how much there is to the milestone as it is planned now, or as a person said."""
    if s.policy.scope != AUTO:
        return Scoped(kind=Kind(s.policy.scope), why="workflow.scope says so")
    if not s.slices:
        return Scoped(kind=Kind.UNKNOWN, why="it is not planned yet")
    if s.scripted:
        return Scoped(kind=Kind.STANDARD, why="a person said what is to be done, step by step")
    if any(note.kind == "validate-milestone" for note in s.notes.values()):
        return Scoped(kind=Kind.STANDARD, why="it was validated before")
    wanted = [slice_ for slice_ in s.slices.values() if slice_.aside != "skipped"]
    files = {path for task in s.tasks.values() if not task.aside for path in task.files}
    return classify(s.milestone, wanted, len(files))


def classify(m: Milestone, slices: list[Slice], files: int) -> Scoped:
    """Return how much there is to a milestone with these slices, whose tasks name so many ``files``."""
    about = f"{m.title}\n{m.vision}"
    more = [text for x in slices for text in (x.title, x.goal, x.demo, *x.must_haves)]
    text = "\n".join((about, *m.criteria, *more))
    files = max([files, *(int(found[1]) for found in _FILES.finditer(text))])
    if word := _first(COMPLEX, text):
        return Scoped(kind=Kind.COMPLEX, why=f"it says '{word}'")
    if files >= FILES_COMPLEX:
        return Scoped(kind=Kind.COMPLEX, why=f"it is about {files} files")
    if word := _first(GRAVE, text):
        return Scoped(kind=Kind.STANDARD, why=f"it says '{word}'")
    small = _first(SMALL, about, negated=True)
    if not small:
        return Scoped(kind=Kind.STANDARD, why="nothing says that it is less")
    if but := _against(text, files, len(slices)):
        return Scoped(kind=Kind.STANDARD, why=f"it says '{small}', but {but}")
    return Scoped(kind=Kind.TRIVIAL, why=f"it says '{small}', and nothing speaks against it")


def _against(text: str, files: int, slices: int) -> str:
    """Return what keeps a milestone that is small by its words from being trivial; "" where nothing does."""
    if word := _first(BUILT, text):
        return f"'{word}', too"
    if files > FILES_MOST:
        return f"it is about {files} files"
    return f"it has {slices} slices" if slices > SLICES_MOST else ""


def _first(words: str, text: str, *, negated: bool = False) -> str:
    """Return the first of the words in a text that no clause denies; ``negated``: even one that is denied."""
    for found in re.finditer(rf"\b(?:{words})\b", text, re.IGNORECASE):
        before = text[max(found.start() - NEGATED_WITHIN, 0) : found.start()]
        if negated or not _NEGATION.search(before):
            return found[0]
    return ""
