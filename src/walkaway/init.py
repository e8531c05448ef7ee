"""Make a folder a project."""

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from walkaway import config, layout, store
from walkaway.core.errors import Usage
from walkaway.core.ids import ProjectId
from walkaway.layout import Layout


@dataclass(frozen=True, slots=True)
class Initialised:
    """A project that is ready, and a sentence for each thing that had to be done."""

    place: Layout
    did: tuple[str, ...]


def initialise(folder: str | None, overrides: Iterable[str] = (), join: str = "") -> Initialised:
    """Make a folder (None: `WALKAWAY_PROJECT`, else the working directory) a project; harmless twice.

    A folder inside a project, or a worktree of its repository, stands for that project. With ``join`` this clone works
    for the project of that id, which another host made; `Usage` where the database does not know it.
    """
    from walkaway.git.start import init_repository  # noqa: PLC0415 - git is not for everybody

    start = os.path.abspath(folder or layout.starting_point())
    place = layout.around(start) or Layout(_main_checkout(os.path.realpath(start)))
    settings = config.load(place, overrides)
    did = list(init_repository(Path(place.root)))
    fresh = not os.path.exists(place.state)
    url = config.url(settings.config, place)
    if join:
        _require_known(url, ProjectId(join))
    project = place.enter(ProjectId(join) if join else _new_id(place.root))
    if join and project != join:
        raise Usage(f"{place.root} belongs to the project {project} already; it cannot join {join}.")
    store.create(url, project, synchronous=settings.config.database.synchronous).close()
    if _write_once(place.config, config.example()):
        did.append(f"Wrote {place.config}, where every setting can be changed.")
    place.resolve(config.resolved(settings.config, place))
    if fresh:
        did.append(f"Made {place.state}, which git ignores.")
    if not url.startswith("sqlite:"):
        did.append(f"A clone on another host joins with: walkaway init --project {project}")
    return Initialised(place, tuple(did))


def _require_known(url: str, project: ProjectId) -> None:
    if url.startswith("sqlite:"):
        raise Usage("Only a project in PostgreSQL can be joined: set database.url to its database.")
    opened = store.connect(url, project)
    try:
        if not opened.exists():
            raise Usage(
                f"The database does not know a project {project}; walkaway init on its first host prints the id."
            )
    finally:
        opened.close()


def _main_checkout(folder: str) -> str:
    """Return the main checkout where ``folder`` is a linked worktree of a repository that has one."""
    common, linked = layout.shared_git_dir(folder)
    return os.path.dirname(common) if linked and os.path.basename(common) == ".git" else folder


def _new_id(root: str) -> ProjectId:
    name = "".join(c for c in os.path.basename(root).lower() if c.isascii() and (c.isalnum() or c == "-"))
    return ProjectId(f"{name[:24] or 'project'}-{secrets.token_hex(4)}")


def _write_once(path: str, text: str) -> bool:
    try:
        with open(path, "x", encoding="utf-8") as sink:
            sink.write(text)
    except FileExistsError:
        return False
    return True
