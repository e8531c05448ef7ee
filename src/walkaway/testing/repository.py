"""A repository as a test sees and changes it from outside: in memory, or a real one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from walkaway import proc
from walkaway.core.ids import NO_SHA, Sha
from walkaway.engine.ports import Workspace
from walkaway.git import GitWorkspace
from walkaway.testing.fakes import Commit, Files


class Site(Protocol):
    """A repository with one commit on ``main``, which its user has checked out; ``*.log`` is ignored."""

    @property
    def workspace(self) -> Workspace:
        """The port of the engine to it."""
        ...

    def files(self, path: str) -> Files:
        """Return what lies in a directory of the workspace's."""
        ...

    def write(self, path: str, name: str, text: str) -> None:
        """Write a file in a directory of the workspace's."""
        ...

    def see(self, ref: str) -> list[Commit]:
        """Return a commit and its first parents, newest first; the files are sure of the newest only."""
        ...

    def kept(self, sha: Sha) -> bool:
        """Whether some ref reaches a commit."""
        ...

    def move(self, branch: str, files: Files) -> Sha:
        """Commit files on top of a branch, as somebody else would."""
        ...

    def edit(self, name: str, text: str) -> None:
        """Change a file in the user's checkout."""
        ...

    def refuse(self, word: str) -> None:
        """Have the commit hook refuse trees with this word in a file."""
        ...

    def detach(self) -> None:
        """Leave the user's checkout on no branch."""
        ...

    def make_branch(self, name: str) -> None:
        """Make a branch at ``main``."""
        ...

    def drop_branch(self, name: str) -> None:
        """Delete a branch, checked out or not."""
        ...


class GitRepository:
    """A real repository."""

    def __init__(self, root: Path, state: Path, files: Files) -> None:
        """Make one at ``root`` with a commit of ``files`` on ``main``; walkaway keeps its own things in ``state``."""
        self.root = root
        root.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "Ada")
        self.git("config", "user.email", "ada@example.org")
        (root / ".git/info").mkdir(exist_ok=True)
        (root / ".git/info/exclude").write_text("*.log\n")
        self._commit_here(files, "Begin")
        self._workspace = GitWorkspace(root, state)

    @property
    def workspace(self) -> Workspace:
        """The port of the engine to it."""
        return self._workspace

    def git(self, *words: str, cwd: Path | None = None) -> str:
        """Run git and return what it says; raise `AssertionError` where it fails."""
        done = proc.run(("git", *words), cwd or self.root)
        assert done.exit_code == 0, f"git {' '.join(words)}: {done.stderr}"
        return done.output

    def files(self, path: str) -> Files:
        """Return what lies in a directory."""
        top = Path(path)
        found = (file for file in sorted(top.rglob("*")) if file.is_file() and file.name != ".git")
        return {str(file.relative_to(top)): file.read_text() for file in found}

    def write(self, path: str, name: str, text: str) -> None:
        """Write a file; where the directory is gone, nothing comes of it."""
        if Path(path).is_dir():
            _write(Path(path), {name: text})

    def see(self, ref: str) -> list[Commit]:
        """Return the commits of a ref's own line, newest first; the files of the newest only."""
        if proc.run(("git", "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"), self.root).exit_code != 0:
            return []
        listed = self.git("log", "-z", "--first-parent", "--format=%H%n%P%n%B", ref).split("\0")
        return [self._read(entry, newest=n == 0) for n, entry in enumerate(listed) if entry]

    def kept(self, sha: Sha) -> bool:
        """Whether some ref reaches a commit."""
        return bool(self.git("for-each-ref", f"--contains={sha}").strip())

    def move(self, branch: str, files: Files) -> Sha:
        """Commit files on top of a branch: in the user's checkout, or in one for this moment."""
        if self.git("rev-parse", "--abbrev-ref", "HEAD").strip() == branch:
            return self._commit_here(files, "Somebody else's work")
        with self._elsewhere(branch) as there:
            _write(there, files)
            self.git("add", "--all", cwd=there)
            self.git("commit", "--quiet", "-m", "Somebody else's work", cwd=there)
        return Sha(self.git("rev-parse", branch).strip())

    def edit(self, name: str, text: str) -> None:
        """Change a file in the user's checkout."""
        _write(self.root, {name: text})

    def refuse(self, word: str) -> None:
        """Install a pre-commit hook that looks for a word."""
        hook = self.root / ".git/hooks/pre-commit"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\nif git grep --cached -q {word}; then echo 'no {word}, please'; exit 1; fi\n")
        hook.chmod(0o755)

    def detach(self) -> None:
        """Leave the user's checkout on no branch."""
        self.git("checkout", "--quiet", "--detach")

    def make_branch(self, name: str) -> None:
        """Make a branch at ``main``."""
        self.git("branch", name, "main")

    def drop_branch(self, name: str) -> None:
        """Delete a branch, checked out or not."""
        self.git("update-ref", "-d", f"refs/heads/{name}")

    def _commit_here(self, files: Files, message: str) -> Sha:
        _write(self.root, files)
        self.git("add", "--", *files)
        self.git("commit", "--quiet", "-m", message, "--", *files)
        return Sha(self.git("rev-parse", "HEAD").strip())

    @contextmanager
    def _elsewhere(self, branch: str) -> Iterator[Path]:
        there = self.root.parent / "elsewhere"
        self.git("worktree", "add", "--quiet", str(there), branch)
        try:
            yield there
        finally:
            self.git("worktree", "remove", str(there))

    def _read(self, entry: str, *, newest: bool) -> Commit:
        sha, parents, message = entry.split("\n", 2)
        listed = self.git("ls-tree", "-r", "-z", "--name-only", sha) if newest else ""
        names = [name for name in listed.split("\0") if name]
        files = {name: self.git("show", f"{sha}:{name}") for name in names}
        parent, other, *_ = (*map(Sha, parents.split()), NO_SHA, NO_SHA)
        return Commit(sha=Sha(sha), parent=parent, other=other, files=files, message=message)


def _write(top: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
