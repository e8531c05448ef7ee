"""The policy as a table: what is allowed to whom."""

import sys

import pytest

from walkaway.agent.globs import matches
from walkaway.agent.policy import ALLOW, Call, Refuse, judge, writes_git
from walkaway.core.grant import BUILDING, PLANNING, Effect, Grant

CWD = "/p/.walkaway/worktrees/M001.f1"
DOCS = Grant(name="docs", effects=frozenset({Effect.READ, Effect.WRITE}), paths=("docs/**", "*.md"))
R, W, S = Effect.READ, Effect.WRITE, Effect.SHELL

TABLE = [
    (BUILDING, R, f"{CWD}/a.py", True),
    (BUILDING, R, CWD, True),
    (BUILDING, R, f"{CWD}/.git", True),
    (BUILDING, R, f"{sys.prefix}/lib/x.py", True),
    (BUILDING, R, "/kept/0001.txt", True),
    (BUILDING, R, "/kept2/0001.txt", False),
    (BUILDING, R, "/p/.walkaway/worktrees/M001.f10/a.py", False),
    (BUILDING, R, "/p/.walkaway/state.db", False),
    (BUILDING, R, "/home/ann/.ssh/id_rsa", False),
    (BUILDING, R, "/etc/passwd", False),
    (BUILDING, W, f"{CWD}/a.py", True),
    (BUILDING, W, f"{CWD}/.gitignore", True),
    (BUILDING, W, CWD, False),
    (BUILDING, W, f"{CWD}/.git", False),
    (BUILDING, W, f"{CWD}/.git/config", False),
    (BUILDING, W, f"{CWD}/sub/.Git/config", False),
    (BUILDING, W, f"{CWD}/.walkaway/config.toml", False),
    (BUILDING, W, "/p/a.py", False),
    (BUILDING, W, f"{sys.prefix}/lib/x.py", False),
    (BUILDING, W, "/kept/0001.txt", False),
    (PLANNING, R, f"{CWD}/a.py", True),
    (PLANNING, W, f"{CWD}/a.py", False),
    (DOCS, W, f"{CWD}/docs/a/b.txt", True),
    (DOCS, W, f"{CWD}/deep/README.md", True),
    (DOCS, W, f"{CWD}/a.py", False),
]


@pytest.mark.parametrize(("grant", "effect", "path", "allowed"), TABLE)
def test_paths(grant: Grant, effect: Effect, path: str, allowed: bool) -> None:
    verdict = judge(grant, Call(tool="t", effect=effect, cwd=CWD, path=path), ("/kept",))
    assert (verdict == ALLOW) is allowed


def test_a_refusal_is_a_sentence_that_names_the_path() -> None:
    verdict = judge(BUILDING, Call(tool="write", effect=W, cwd=CWD, path="/p/a.py"))
    assert isinstance(verdict, Refuse)
    assert "/p/a.py" in verdict.why
    planning = judge(PLANNING, Call(tool="bash", effect=S, cwd=CWD, command="ls"))
    assert planning == Refuse(f"'bash' is not allowed here. {PLANNING.sentence()}")


COMMANDS = {
    "git status": False,
    "git diff HEAD~1 -- a.py": False,
    "git log --oneline": False,
    "git add -A": False,
    "git checkout -- a.py": False,
    "git branch --show-current": False,
    "git branch": False,
    "git stash list": False,
    "git config --get user.name": False,
    "git worktree list": False,
    "git tag": False,
    "git remote -v": False,
    "echo digit commit": False,
    "grep -r 'gitcommit' .": False,
    "ls .git": False,
    "git commit -m x": True,
    "git  -C /p  commit -m x": True,
    "git -c user.name=x commit": True,
    "cd a && git push origin main": True,
    "true; git checkout main": True,
    "(git switch -c x)": True,
    "$(git worktree add ../x)": True,
    "/usr/bin/git update-ref refs/heads/main abc": True,
    "git config user.name x": True,
    "git --no-pager reset --hard": True,
    "git branch -D main": True,
    "git branch new": True,
    "git stash": True,
    "git tag v1": True,
    "GIT_DIR=x git commit": True,
    "bash -c 'git merge x'": True,
}


@pytest.mark.parametrize(("command", "writes"), COMMANDS.items())
def test_commands_that_move_history_are_known(command: str, writes: bool) -> None:
    assert writes_git(command) is writes


GLOBS = [
    ("*.py", "a.py", True),
    ("*.py", "s/t/a.py", True),
    ("s/*.py", "s/a.py", True),
    ("s/*.py", "s/t/a.py", False),
    ("s/**", "s/t/a.py", True),
    ("**/a.py", "a.py", True),
    ("s/**/a.py", "s/a.py", True),
    ("./s/a?.py", "s/ab.py", True),
    ("[ab].py", "b.py", True),
    ("[!ab].py", "b.py", False),
    ("a+b.py", "a+b.py", True),
    ("a[.py", "a[.py", True),
]


@pytest.mark.parametrize(("pattern", "path", "does"), GLOBS)
def test_globs(pattern: str, path: str, does: bool) -> None:
    assert matches(pattern, path) is does
