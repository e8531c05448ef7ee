"""One conversation with a model at a time; it knows of briefs, grants and desks, and nothing of milestones.

The shell that the model is given is *not confined*: it is started in the unit's checkout without secrets, with a
scratch HOME, and killed with its whole group, but what it touches meanwhile nobody prevents. The policy judges what
goes through the other tools; for commands it is a courtesy.
"""

from walkaway.agent.harness import Harness
from walkaway.agent.settings import ModelSettings

__all__ = ["Harness", "ModelSettings"]
