"""Where a project's things are, and which project a directory belongs to.

Rule: state belongs to the root of a repository, never to one of its worktrees. Standard library only, and little of
it: `query` pays for what is imported here. Together with `config` this is the only reader of the environment.
"""

import json
import os
from dataclasses import dataclass, fields

from walkaway.core.errors import Usage
from walkaway.core.ids import NO_SHA, ProjectId, Sha

STATE = ".walkaway"
VARIABLE = "WALKAWAY_PROJECT"

_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one project, all absolute."""

    root: str

    @property
    def state(self) -> str:
        """The folder that holds all that walkaway keeps."""
        return os.path.join(self.root, STATE)

    @property
    def database(self) -> str:
        """The default database."""
        return os.path.join(self.state, "state.db")

    @property
    def view(self) -> str:
        """The projections: markdown for people."""
        return os.path.join(self.state, "view")

    @property
    def worktrees(self) -> str:
        """The checkouts in which agents work."""
        return os.path.join(self.state, "worktrees")

    @property
    def config(self) -> str:
        """The project's own settings."""
        return os.path.join(self.state, "config.toml")

    @property
    def workers(self) -> str:
        """What the processes of `auto --workers` said, a file each."""
        return os.path.join(self.state, "workers")

    @property
    def crashes(self) -> str:
        """Tracebacks of errors that nobody foresaw."""
        return os.path.join(self.state, "crashes")

    @property
    def _project(self) -> str:
        return os.path.join(self.state, "project.json")

    @property
    def _resolved(self) -> str:
        return os.path.join(self.state, "resolved.json")

    def project(self) -> ProjectId:
        """Return the project's identity, made once by `walkaway init`; `Usage` where it cannot be read."""
        return ProjectId(_text(_read(self._project), "id", self._project))

    def enter(self, project: ProjectId) -> ProjectId:
        """Make the state folder with this identity and return the one that holds: the first ever given stays."""
        os.makedirs(self.state, exist_ok=True)
        fresh = f"{self._project}.{os.getpid()}"
        _write(fresh, {"v": 1, "id": project})
        try:
            os.link(fresh, self._project)
        except FileExistsError:
            return self.project()
        finally:
            os.unlink(fresh)
        return project

    def resolved(self) -> "Resolved":
        """Return what the configuration came to when it was last read; `Usage` where it never was."""
        raw = _read(self._resolved)
        where = self._resolved
        target, usd, attempts = raw.get("target"), raw.get("usd"), raw.get("attempts")
        return Resolved(
            url=_text(raw, "url", where),
            synchronous=_text(raw, "synchronous", where),
            target=target if isinstance(target, str) else "",
            usd=float(usd) if isinstance(usd, int | float) else None,
            attempts=attempts if isinstance(attempts, int) else 0,
        )

    def resolve(self, resolved: "Resolved") -> None:
        """Keep what the configuration came to, for `query`: only the owner may read it, it can hold a password."""
        fresh = f"{self._resolved}.{os.getpid()}"
        told: dict[str, object] = {field.name: getattr(resolved, field.name) for field in fields(resolved)}
        _write(fresh, {"v": 1, **told, "workflows": []})
        os.replace(fresh, self._resolved)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What `query` needs of the configuration without reading it."""

    url: str
    synchronous: str
    target: str = ""
    """The branch asked for by the last run, "" where none was."""
    usd: float | None = None
    """What a milestone may cost; None: no cap."""
    attempts: int = 0
    """How often a unit is tried."""


# ---- which project ------------------------------------------------------------------------------------------------


def find(start: str | None = None) -> Layout:
    """Return the project that ``start`` is in (None: `WALKAWAY_PROJECT`, else the working directory).

    ``start`` may be a subfolder, a symbolic link, one of our worktrees or one of the user's. Raises `Usage` where there
    is no project.
    """
    if start is not None:
        found = around(start)
        if found is None:
            raise Usage(f"There is no walkaway project in {start} or above it: run walkaway init there first.")
        return found
    named = os.environ.get(VARIABLE, "")
    if named:
        found = around(named)
        if found is None:
            raise Usage(f"{VARIABLE} names {named}, which is no project: run walkaway init there, or unset it.")
        return found
    here = working_directory()
    found = around(here)
    if found is None:
        raise Usage(f"There is no walkaway project in {here} or above it: run walkaway init there first.")
    return found


def starting_point() -> str:
    """Return the directory that a command without a path is about: `WALKAWAY_PROJECT`, else the working directory."""
    return os.environ.get(VARIABLE, "") or working_directory()


def working_directory() -> str:
    """Return the working directory; `Usage` where somebody removed it."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise Usage("The working directory is gone: change to one that exists.") from None


def around(start: str) -> Layout | None:
    """Return the nearest project around ``start``; None where a repository that is none, or the root, comes first."""
    folder = os.path.realpath(start)
    while True:
        common, linked = shared_git_dir(folder)
        if linked and _is_project(os.path.dirname(common)):
            return Layout(os.path.dirname(common))
        if _is_project(folder):
            return Layout(folder)
        above = os.path.dirname(folder)
        if above == folder or linked or (common and os.path.isdir(os.path.join(folder, ".git"))):
            return None
        folder = above


def shared_git_dir(folder: str) -> tuple[str, bool]:
    """Return the git directory shared by all checkouts of the repository whose top is ``folder``, "" where it is none.

    The second value says whether ``folder`` is a linked worktree, as opposed to the main one or a submodule.
    """
    dot = os.path.join(folder, ".git")
    if os.path.isdir(dot):
        return dot, False
    said = _first_line(dot)
    if not said.startswith("gitdir: "):
        return "", False
    private = os.path.join(folder, said.removeprefix("gitdir: "))
    common = _first_line(os.path.join(private, "commondir"))
    if not common:
        return os.path.realpath(private), False
    return os.path.realpath(os.path.join(private, common)), True


def _is_project(folder: str) -> bool:
    return os.path.isfile(os.path.join(folder, STATE, "project.json"))


# ---- the branch, without starting git -----------------------------------------------------------------------------


def checked_out(root: str) -> str:
    """Return the branch that the user has checked out at ``root``; "" where HEAD is detached or cannot be told."""
    said = _first_line(os.path.join(_private_git_dir(root), "HEAD"))
    return said.removeprefix("ref: refs/heads/") if said.startswith("ref: refs/heads/") else ""


def tip(root: str, branch: str) -> Sha:
    """Return the commit that ``branch`` points to, as far as plain files say; "" where they do not."""
    common, _ = shared_git_dir(root)
    if not common or not branch:
        return NO_SHA
    loose = _first_line(os.path.join(common, "refs/heads", branch))
    if loose and not loose.startswith("ref:"):
        return Sha(loose)
    wanted = f" refs/heads/{branch}\n"
    try:
        with open(os.path.join(common, "packed-refs"), encoding="utf-8", errors="replace") as lines:
            return next((Sha(line[: -len(wanted)]) for line in lines if line.endswith(wanted)), NO_SHA)
    except FileNotFoundError:
        return NO_SHA


def _private_git_dir(root: str) -> str:
    dot = os.path.join(root, ".git")
    said = "" if os.path.isdir(dot) else _first_line(dot)
    return os.path.join(root, said.removeprefix("gitdir: ")) if said.startswith("gitdir: ") else dot


# ---- files --------------------------------------------------------------------------------------------------------


def _first_line(path: str) -> str:
    """Return the first line of a small file, "" where there is no such file."""
    try:
        with open(path, encoding="utf-8", errors="replace") as lines:
            return lines.readline().strip()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return ""


def _read(path: str) -> dict[str, object]:
    try:
        with open(path, encoding="utf-8") as source:
            raw: object = json.load(source)
    except FileNotFoundError:
        raise Usage(f"{path} is missing: run walkaway init, which makes it again.") from None
    except (OSError, ValueError) as error:
        raise Usage(f"{path} cannot be read ({error}): remove it and run walkaway init.") from None
    return {str(key): value for key, value in raw.items()} if isinstance(raw, dict) else {}


def _text(raw: dict[str, object], key: str, path: str) -> str:
    value = raw.get(key)
    if not isinstance(value, str) or not value:
        raise Usage(f"{path} has no '{key}': remove it and run walkaway init, which makes it again.")
    return value


def _write(path: str, value: dict[str, object]) -> None:
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, _PRIVATE), "w", encoding="utf-8") as sink:
        json.dump(value, sink)
        sink.write("\n")
