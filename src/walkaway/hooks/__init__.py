"""The user's own commands around units: run once their content is trusted, never before."""

from walkaway.hooks.run import ProjectHooks
from walkaway.hooks.trust import State, Trust, digest

__all__ = ["ProjectHooks", "State", "Trust", "digest"]
