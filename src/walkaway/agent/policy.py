"""(Grant, Call) -> Allow | Refuse: what an agent may touch is decided here and nowhere else.

Files are judged by the real path, links and ``..`` resolved before. Writing is allowed inside the working directory
only, and never under ``.git`` or ``.walkaway``. Reading is allowed inside it, in the directories that the caller names
(the kept outputs of this conversation) and in installed libraries; everything else outside stays private.

Commands are not understood, so they cannot be judged: `writes_git` refuses the common ways to move history because the
engine commits. It is a courtesy that saves the model a detour, not a wall.
"""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from walkaway.agent.globs import matches
from walkaway.core.grant import Effect, Grant

LIBRARIES = tuple(sorted({sys.prefix, sys.base_prefix, "/usr/include", "/usr/lib", "/usr/share", "/usr/local/lib"}))
"""Where installed code lives: readable, because a model looks up what it calls."""

PROTECTED = frozenset({".git", ".walkaway"})

ENGINE_COMMITS = (
    "The engine commits your work when your report is accepted; do not move branches, commits, remotes or git's "
    "configuration. Leave your changes in the working directory."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool call as the policy sees it: ``cwd`` and ``path`` are real, absolute paths ("" names none)."""

    tool: str
    effect: Effect
    cwd: str
    path: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Allow:
    """Go on."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Do not; ``why`` is a sentence for the model."""

    why: str


ALLOW = Allow()

ASK = "ask"
"""The one call that is carried out while a gate waits for its answer."""


def while_pending(gate: str, tool: str) -> Allow | Refuse:
    """Say whether a call may be made while ``gate`` waits for its answer: whatever the tool, only the one that asks."""
    if not gate or tool == ASK:
        return ALLOW
    return Refuse(
        f"'{tool}' was not carried out: the gate {gate} waits for a person's answer, and until then nothing else is "
        f'done. Call `{ASK}` with gate "{gate}". Do not look for another way.'
    )


def judge(grant: Grant, call: Call, readable: tuple[str, ...] = ()) -> Allow | Refuse:
    """Say whether the grant covers the call; ``readable`` are directories outside ``cwd`` that may be read."""
    if call.effect not in grant.effects:
        return Refuse(f"'{call.tool}' is not allowed here. {grant.sentence()}")
    if call.effect is Effect.SHELL:
        return Refuse(ENGINE_COMMITS) if writes_git(call.command) else ALLOW
    if call.effect is Effect.WRITE:
        return _judge_write(grant, call)
    if _inside(call.path, (call.cwd, *readable, *LIBRARIES)):
        return ALLOW
    return Refuse(
        f"{call.path} is outside the working directory {call.cwd}; only installed libraries may be read there."
    )


def _judge_write(grant: Grant, call: Call) -> Allow | Refuse:
    if not _inside(call.path, (call.cwd,)) or call.path == call.cwd:
        return Refuse(f"{call.path} is outside the working directory {call.cwd}; nothing there may be changed.")
    relative = PurePath(call.path).relative_to(call.cwd)
    protected = [part for part in relative.parts if part.casefold() in PROTECTED]
    if protected:
        return Refuse(f"{relative} lies under {protected[0]}, which belongs to the engine; it may not be changed.")
    if grant.paths and not any(matches(pattern, relative.as_posix()) for pattern in grant.paths):
        return Refuse(f"{relative} is not covered. {grant.sentence()}")
    return ALLOW


def _inside(path: str, roots: Iterable[str]) -> bool:
    real = PurePath(path)
    return any(real.is_relative_to(root) for root in roots)


# ---- the courtesy about git --------------------------------------------------------------------------------------

_GIT = re.compile(
    r"(?:^|[\s;&|(`'\"])(?:[\w./-]*/)?git(?P<options>(?:\s+(?:-[Cc]\s+\S+|--?[\w-]+(?:=\S+)?))*)\s+(?P<verb>[a-z][a-z-]*)"
    r"(?P<rest>[^;&|\n)`]*)"
)
_ALWAYS = frozenset(
    [
        "am",
        "cherry-pick",
        "clone",
        "commit",
        "commit-tree",
        "fetch",
        "filter-branch",
        "filter-repo",
        "gc",
        "merge",
        "prune",
        "pull",
        "push",
        "rebase",
        "reset",
        "revert",
        "submodule",
        "switch",
        "symbolic-ref",
        "update-index",
        "update-ref",
    ]
)
_LOOKS: dict[str, re.Pattern[str]] = {
    "branch": re.compile(r"\s*(?:(?:-[arv]+|--(?:all|list|show-current|remotes|contains|merged)\b.*)\s*)?$"),
    "checkout": re.compile(r".*\s--\s"),
    "config": re.compile(r"\s*(?:--(?:local|global|system)\s+)?(?:--get|--list|-l\b|get\b|list\b)"),
    "notes": re.compile(r"\s*(?:list|show)\b"),
    "reflog": re.compile(r"\s*(?:$|show\b)"),
    "remote": re.compile(r"\s*(?:$|-v\b|show\b|get-url\b)"),
    "stash": re.compile(r"\s*(?:list|show)\b"),
    "tag": re.compile(r"\s*(?:$|-l\b|--list\b)"),
    "worktree": re.compile(r"\s*list\b"),
}
"""Verbs that can look as well as write, and the arguments with which they only look."""


def writes_git(command: str) -> bool:
    """Whether a command names a git verb that would move history, branches, remotes or configuration."""
    for found in _GIT.finditer(command):
        verb, rest = found["verb"], found["rest"]
        if verb in _ALWAYS or (verb in _LOOKS and not _LOOKS[verb].match(rest)):
            return True
    return False
