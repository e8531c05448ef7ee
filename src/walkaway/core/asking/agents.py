"""What an agent may ask a person, and what it is told."""

from walkaway.core.asking.gates import wanted as gate_wanted
from walkaway.core.asking.question import ASKED, GATE_OPTIONS, OF_PROJECT, Question, held_by, is_gate
from walkaway.core.brief import Asked
from walkaway.core.model import Snapshot
from walkaway.core.retry import GiveUp

ASSUME = "assume"
"""What everybody may answer to an agent that is no gate: it is to decide by itself."""

OPTIONS_LEAST, OPTIONS_MOST = 2, 4
OPTION_MOST = 60


def wrong(s: Snapshot, asked: Asked) -> str:
    """Return what is wrong with a question, in words for the model, or ""."""
    if not asked.text.strip():
        return "The question is empty."
    if asked.gate:
        return _wrong_gate(s, asked)
    if not OPTIONS_LEAST <= len(asked.options) <= OPTIONS_MOST or len(set(asked.options)) < len(asked.options):
        return f"Name {OPTIONS_LEAST} to {OPTIONS_MOST} different options, not {len(asked.options)}."
    if strange := [o for o in asked.options if o != o.strip() or not o or not o.isprintable() or len(o) > OPTION_MOST]:
        return f"An option is one line of 1 to {OPTION_MOST} characters, unlike {strange[0]!r}."
    return f"'{ASSUME}' is offered anyway; name the other options." if ASSUME in asked.options else ""


def _wrong_gate(s: Snapshot, asked: Asked) -> str:
    if not is_gate(asked.gate) or held_by(asked.gate) not in (s.milestone.id, *OF_PROJECT):
        return f"'{asked.gate}' is no gate of {s.milestone.id}; ask the one that you were told of."
    if asked.options and asked.options != GATE_OPTIONS:
        return f"The answers to {asked.gate} are {' and '.join(GATE_OPTIONS)}; leave the options out."
    return ""


def wanted(asked: Asked) -> GiveUp:
    """Return what is asked of a person."""
    if asked.gate:
        return gate_wanted(asked.gate, asked.text)
    return GiveUp(
        reason=ASKED,
        text=asked.text,
        remedies=("answer with one of the options", f"answer {ASSUME}: the agent decides and says so in its report"),
        options=(*asked.options, ASSUME),
    )


def reply(question: Question, words: str) -> str:
    """Return what an agent is told of an answer."""
    if words == ASSUME:
        return "Nobody decides this for you. Make the smallest reasonable assumption, write it into your report, go on."
    return f"{question.gate or question.id} was answered: {words}"


def again(question: Question) -> str:
    """Return what an agent is to do whose question was answered with no answer."""
    if question.gate:
        return f'Call `ask` again, with gate "{question.gate}"; nothing else is done until it is answered.'
    return "Ask it again."
