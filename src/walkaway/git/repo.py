"""One repository: run git in it, read what it says, raise `GitFailed` with a sentence.

Rule: git is the only writer. What is read without git is what gitrepository-layout(5) promises, and only to save a
process; where it does not say what was hoped for, git is asked.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from walkaway import proc
from walkaway.core.errors import GitFailed
from walkaway.core.ids import NO_SHA, Sha
from walkaway.git.status import STATUS, Status, parse

OLDEST = (2, 38)
"""The first git that merges trees without a checkout."""

QUICK_S = 600.0
SLOW_S = 3600.0
"""For what runs the user's hooks: a test suite, perhaps."""

_SHA = re.compile(r"[0-9a-f]{40,64}")
_SAYS_BYTES = 4000
_SHOWN = 10
_QUIET = {
    "color.ui": "false",
    "core.abbrev": "no",
    "core.fsmonitor": "false",
    "gc.auto": "0",
    "i18n.commitEncoding": "UTF-8",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
}
"""Nothing in the background, nothing abbreviated, nothing that depends on somebody's taste."""

NO_HOOKS = "/dev/null"

UNSAID = ("", ".invalid")
"""What HEAD's file says where no branch is checked out, or git keeps its refs in another format: ask git."""

_OPERATIONS = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
}


class Repo:
    """A repository by one of its checkouts. Reads its configuration once."""

    def __init__(self, path: Path) -> None:
        """Nothing is run before it is needed."""
        self.path = path

    # ---- running git ---------------------------------------------------------------------------------------------

    def run(
        self,
        *args: str,
        cwd: Path | None = None,
        given: str | None = None,
        hooks: str | None = NO_HOOKS,
        env: Mapping[str, str] | None = None,
        timeout_s: float = QUICK_S,
    ) -> proc.Done:
        """Run git and return whatever it did; hooks do not run unless ``hooks`` names their folder (None: as set).

        Raises `GitFailed` where there is no git, or no such directory.
        """
        settings = _QUIET if hooks is None else {**_QUIET, "core.hooksPath": hooks}
        return _git(
            [*_settings(settings), *args],
            cwd or self.path,
            {**self._identity, **(env or {})},
            given=given,
            timeout_s=timeout_s,
        )

    def git(
        self,
        *args: str,
        cwd: Path | None = None,
        given: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> str:
        """Run git, without hooks, and return what it printed; `GitFailed` unless it exits with 0."""
        done = self.run(*args, cwd=cwd, given=given, env=env)
        if done.exit_code != 0:
            raise failed(args, done)
        return done.output

    # ---- what is there -------------------------------------------------------------------------------------------

    @cached_property
    def common(self) -> Path:
        """The directory that all checkouts of this repository share."""
        private = private_dir(self.path)
        if private is None:
            message = f"{self.path} is no git checkout: run `walkaway init` there"
            raise GitFailed(message)
        return common_dir(private)

    @cached_property
    def config(self) -> Mapping[str, str]:
        """Every setting that holds here, the last value of each; section and key in lower case."""
        return _config(self.path)

    @cached_property
    def _identity(self) -> Mapping[str, str]:
        """Who commits where the user has not said who they are."""
        mine = {"name": "walkaway", "email": "walkaway@localhost"}
        return {
            f"GIT_{role}_{key.upper()}": value
            for key, value in mine.items()
            if f"user.{key}" not in self.config
            for role in ("AUTHOR", "COMMITTER")
            if f"{role.lower()}.{key}" not in self.config and f"GIT_{role}_{key.upper()}" not in proc.environment()
        }

    def flag(self, name: str) -> bool:
        """Whether a yes-or-no setting says yes."""
        return self.config.get(name, "false").lower() in {"true", "yes", "on", "1", ""}

    def status(self, path: Path, *, ignored: bool = False, tracked_only: bool = False) -> Status:
        """Return what lies in a checkout; every untracked file by name, repositories in it with a slash."""
        shown = f"--untracked-files={'no' if tracked_only else 'all'}"
        return parse(self.git(*STATUS, shown, f"--ignored={'matching' if ignored else 'no'}", cwd=path))

    def ignored(self, paths: Iterable[str]) -> frozenset[str]:
        """Return those of ``paths``, relative to the checkout, that git is told to ignore."""
        done = self.run("check-ignore", "-z", "--stdin", given="\0".join(paths))
        if done.exit_code not in {0, 1}:
            raise failed(("check-ignore",), done)
        return frozenset(done.output.split("\0")) - {""}

    def tip(self, ref: str) -> Sha:
        """Return the commit that a full ref name points to, "" where there is none."""
        done = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        if done.exit_code not in {0, 1}:
            raise failed(("rev-parse",), done)
        return Sha(done.output.strip()) if done.exit_code == 0 else NO_SHA

    def read_ref(self, ref: str) -> Sha:
        """Return what `tip` does, without a process where git's files say it."""
        file = self.common / ref
        if file.is_file() and _SHA.fullmatch(text := file.read_text().strip()):
            return Sha(text)
        in_files = (self.common / "refs" / "heads").is_dir() and not (self.common / "packed-refs").exists()
        return NO_SHA if in_files and not file.exists() else self.tip(ref)

    def contains(self, tip: Sha, commit: Sha) -> bool:
        """Whether ``commit`` is ``tip`` or one of its ancestors."""
        if tip == commit:
            return True
        done = self.run("merge-base", "--is-ancestor", commit, tip)
        if done.exit_code not in {0, 1}:
            raise failed(("merge-base",), done)
        return done.exit_code == 0

    # ---- refs ----------------------------------------------------------------------------------------------------

    def update_refs(self, orders: Sequence[str], cwd: Path | None = None) -> None:
        """Carry out orders of `git update-ref --stdin`, all of them or none; `GitFailed` if one cannot be."""
        if orders:
            self.git("update-ref", "-m", "walkaway", "--stdin", "-z", cwd=cwd, given="".join(orders))


def update(ref: str, new: Sha, old: Sha | None = None) -> str:
    """Order that a ref point to ``new``, whatever it is, or only if it is ``old``."""
    return f"update {ref}\0{new}\0{old or ''}\0"


def create(ref: str, new: Sha) -> str:
    """Order that a ref come to be and point to ``new``, only if there is none."""
    return f"create {ref}\0{new}\0"


def delete(ref: str, old: Sha) -> str:
    """Order that a ref go, only if it is still ``old``."""
    return f"delete {ref}\0{old}\0"


# ---- without a repository ----------------------------------------------------------------------------------------


def version() -> tuple[int, ...]:
    """Return the version of the git that would be run; `GitFailed` where there is none."""
    done = _git(["version"], Path("/"), {})
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", done.output)
    return tuple(int(part) for part in found.groups() if part) if found else (0,)


def version_ok() -> bool:
    """Whether git is new enough."""
    return version() >= OLDEST


def plain(path: Path, *args: str, given: str | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run git where there may be no repository yet; `GitFailed` unless it exits with 0."""
    done = _git([*_settings(_QUIET), *args], path, env or {}, given=given)
    if done.exit_code != 0:
        raise failed(args, done)
    return done.output


def failed(args: Sequence[str], done: proc.Done) -> GitFailed:
    """Return the error that says what git said."""
    if done.timed_out:
        return GitFailed(f"git {args[0]} did not end within {done.duration_ms / 1000:.0f} seconds: {said(done)}")
    return GitFailed(f"git {args[0]} failed (exit {done.exit_code}): {said(done)}")


def said(done: proc.Done) -> str:
    """Return what git or a hook printed, readable and not too long."""
    words = readable((done.stderr.strip() + "\n" + done.output.strip()).strip())
    if len(words) <= _SAYS_BYTES:
        return words or "it did not say why"
    return f"{words[: _SAYS_BYTES // 2]}\n[...]\n{words[-_SAYS_BYTES // 2 :]}"


def some(paths: Iterable[str]) -> str:
    """Name paths, not more than a person reads."""
    names = [readable(path) for path in paths]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def readable(text: str) -> str:
    """Return a path or an output as text that can be stored: bytes that are no UTF-8 become a mark."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def private_dir(path: Path) -> Path | None:
    """Return the git directory of one checkout; None where ``path`` is no checkout's top."""
    dot = path / ".git"
    if dot.is_dir():
        return dot
    if not dot.is_file():
        return None
    return (path / dot.read_text().strip().removeprefix("gitdir: ")).resolve()


def path_private(path: Path) -> Path:
    """Return the private git directory of a checkout; `GitFailed` where it is none any more."""
    private = private_dir(path)
    if private is None:
        message = f"{path} is no git checkout any more: run again, it will be made anew"
        raise GitFailed(message)
    return private


def common_dir(private: Path) -> Path:
    """Return the git directory that the checkout with this private one shares with the others."""
    pointer = private / "commondir"
    return ((private / pointer.read_text().strip()) if pointer.is_file() else private).resolve()


def branch_of(private: Path) -> str:
    """Return the branch that a checkout is on, "" where it is on none or the file does not say."""
    head = (private / "HEAD").read_text().strip()
    return head.removeprefix("ref: refs/heads/") if head.startswith("ref: refs/heads/") else ""


def points_to(private: Path, branch: str, sha: Sha) -> bool:
    """Whether HEAD is on ``branch`` and that at ``sha``, as far as the files say; False means: ask git."""
    return branch_of(private) == branch and loose(common_dir(private), f"refs/heads/{branch}", sha)


def loose(common: Path, ref: str, sha: Sha) -> bool:
    """Whether a ref is at ``sha``, as far as its own file says; False means: ask git."""
    file = common / ref
    return file.is_file() and file.read_text().strip() == sha


def operation(private: Path) -> str:
    """Return what somebody has begun and not finished in a checkout: ``merge``, ``rebase``, … or ""."""
    return next((verb for name, verb in _OPERATIONS.items() if (private / name).exists()), "")


def _settings(settings: Mapping[str, str]) -> list[str]:
    return [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]


def _config(path: Path) -> dict[str, str]:
    lines = plain(path, "config", "--list", "-z").split("\0")
    pairs = (line.partition("\n") for line in lines if line)
    return {key: value for key, _, value in pairs}


def _git(
    args: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    *,
    given: str | None = None,
    timeout_s: float = QUICK_S,
) -> proc.Done:
    """Run git, deaf to the terminal and to whoever called us."""
    base = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "GIT_EDITOR": "true"}
    try:
        return proc.run(
            ["git", *args],
            cwd,
            {**proc.scrub(proc.environment()), **base, **env},
            timeout_s,
            input=None if given is None else given.encode(errors="surrogateescape"),
            limit_bytes=None,
            cancel=None,
            errors="surrogateescape",
        )
    except (FileNotFoundError, NotADirectoryError) as error:
        if not cwd.is_dir():
            message = f"the directory {cwd} is gone: git cannot run there"
        else:
            message = f"git cannot be started ({error.strerror}): install git {OLDEST[0]}.{OLDEST[1]} or newer"
        raise GitFailed(message) from error
