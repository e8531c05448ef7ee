"""The call that puts a question to a person; the engine answers it, so it is no `Tool`, and every grant covers it."""

from pydantic import Field

from walkaway.agent.policy import ASK
from walkaway.agent.tool import Parameters, untitled
from walkaway.core.brief import Asked

NAME = ASK
DESCRIPTION = (
    "Ask a person. The answer may take days, and this conversation ends until it is there: ask only what would be "
    "costly to get wrong and cannot be found out, and before you change files. Name two to four short `options`. "
    "With a `gate` (only where you are told its id) leave `options` out."
)
TEXT_MOST = 4_000


class Ask(Parameters):
    """What to ask, and the answers that there can be."""

    question: str = Field(min_length=1, max_length=TEXT_MOST)
    options: tuple[str, ...] = ()
    gate: str = ""


def schema() -> dict[str, object]:
    """Return the JSON schema of the parameters."""
    return untitled(Ask.model_json_schema())


def parsed(arguments: str) -> Asked:
    """Return the question that these JSON arguments make; raise pydantic's `ValidationError` where they make none."""
    given = Ask.model_validate_json(arguments)
    return Asked(text=given.question, options=given.options, gate=given.gate)
