"""Git: a checkout per fence, one commit per unit, and a target that moves only to what passed."""

from walkaway.git.guard import Guard
from walkaway.git.repo import Repo, version, version_ok
from walkaway.git.start import exclude, init_repository
from walkaway.git.workspace import GitWorkspace

__all__ = ["GitWorkspace", "Guard", "Repo", "exclude", "init_repository", "version", "version_ok"]
