"""The call that sends a sub-agent; the harness holds that conversation, so it is no `Tool`, and few grants cover it."""

from pydantic import Field

from walkaway.agent.tool import Parameters, untitled

NAME = "subagent"
DESCRIPTION = (
    "Send a sub-agent, which may read files but neither change them nor run commands, to find something out; you are "
    "told what it says at its end. It knows nothing but `task`: name the files, the question, the form of the answer. "
    "Calls in one reply work at the same time. What it uses counts as yours."
)
TASK_MOST = 8_000
ABOUT_MOST = 200


class Errand(Parameters):
    """What to find out, and in a few words what it is about."""

    task: str = Field(min_length=1, max_length=TASK_MOST)
    about: str = Field(default="", max_length=ABOUT_MOST)


def schema() -> dict[str, object]:
    """Return the JSON schema of the parameters."""
    return untitled(Errand.model_json_schema())


def parsed(arguments: str) -> Errand:
    """Return the errand that these JSON arguments make; raise pydantic's `ValidationError` where they make none."""
    return Errand.model_validate_json(arguments)
