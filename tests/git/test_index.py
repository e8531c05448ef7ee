"""What the index says without a process: true, or nothing."""

from pathlib import Path

import pytest

from tests.git.gitrig import commit, lease, tree, write
from walkaway.core.errors import GitFailed, HookRefused
from walkaway.core.ids import NO_SHA, Sha
from walkaway.git import GitWorkspace
from walkaway.git.index import ordinary
from walkaway.git.repo import plain


def told(root: Path) -> bool:
    return ordinary(root / ".git/index", "0" * 40, ".walkaway")


@pytest.mark.parametrize("version", ["2", "3"])
def test_decided_files_of_any_name_are_ordinary(root: Path, version: str) -> None:
    names = [*("x" * n for n in range(1, 30)), "dé", "with space", "new\nline", "/".join(["n" * 250] * 14)]
    write(root, dict.fromkeys(names, "x"))
    (root / "link").symlink_to("a.txt")
    write(root, {"run.sh": "x"})
    (root / "run.sh").chmod(0o755)
    plain(root, "add", "--all")
    if version == "3":
        write(root, {"later": "x"})
        plain(root, "add", "--intent-to-add", "later")

    assert told(root)
    assert (root / ".git/index").read_bytes()[7] == int(version)


def test_a_conflict_is_not_whatever_made_it(root: Path, base: Sha) -> None:
    write(root, {"a.txt": "one\n"})
    plain(root, "stash", "--quiet")
    write(root, {"a.txt": "two\n"})
    commit(root, "Two")
    with pytest.raises(GitFailed):
        plain(root, "stash", "pop")

    assert not told(root)
    plain(root, "add", "a.txt")
    assert told(root)


@pytest.mark.parametrize("name", [".walkaway", ".walkaway/state.db"])
def test_our_own_folder_is_not(root: Path, name: str) -> None:
    write(root, {name: "x"})
    plain(root, "add", "--force", name)

    assert not told(root)


def test_a_name_that_only_begins_like_ours_is(root: Path) -> None:
    write(root, {".walkaway.toml": "x", "lib/.walkaway": "x"})
    plain(root, "add", "--all")

    assert told(root)


def test_a_repository_is_not(root: Path) -> None:
    (root / "sub").mkdir()
    plain(root / "sub", "init", "-q")
    commit(root / "sub", "Inner")
    plain(root, "add", "--all")

    assert not told(root)


@pytest.mark.parametrize("how", ["version 4", "split", "missing", "no index", "short", "cut off"])
def test_of_what_cannot_be_read_nothing_is_claimed(root: Path, how: str) -> None:
    if how == "version 4":
        plain(root, "update-index", "--index-version", "4")
    if how == "split":
        plain(root, "update-index", "--split-index")
    if how == "missing":
        (root / ".git/index").unlink()
    if how == "no index":
        (root / ".git/index").write_bytes(b"something else entirely")

    if how in {"short", "cut off"}:
        whole = (root / ".git/index").read_bytes()
        (root / ".git/index").write_bytes(whole[: 7 if how == "short" else 130])

    assert not told(root)


def test_a_conflict_without_a_merge_is_refused_by_seal(work: GitWorkspace, base: Sha) -> None:
    place = work.prepare(lease(1), base, NO_SHA)
    path = Path(place.path)
    write(path, {"a.txt": "one\n"})
    patch = plain(path, "diff")
    write(path, {"a.txt": "two\n"})
    plain(path, "add", "a.txt")
    with pytest.raises(GitFailed):
        plain(path, "apply", "--3way", "-", given=patch)

    with pytest.raises(HookRefused, match=r"conflicts in a\.txt"):
        work.seal(place, "Work", work=True)


def test_a_submodule_that_the_target_has_stays_as_it_is(root: Path) -> None:
    plain(root.parent, "init", "-q", "library")
    commit(root.parent / "library", "Inner")
    plain(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(root.parent / "library"), "sub")
    base = commit(root, "With a submodule")
    work = GitWorkspace(root, root / ".walkaway")
    place = work.prepare(lease(1), base, NO_SHA)
    write(Path(place.path), {"c.txt": "c\n"})

    sealed = work.seal(place, "Work", work=True)

    assert work.changed(base, sealed) == ("c.txt",)
    assert plain(root, "ls-tree", sealed, "sub") == plain(root, "ls-tree", base, "sub")


def test_sealing_is_the_same_with_an_index_of_another_version(root: Path, base: Sha) -> None:
    plain(root, "config", "index.version", "4")
    work = GitWorkspace(root, root / ".walkaway")
    place = work.prepare(lease(1), base, NO_SHA)
    write(Path(place.path), {"c.txt": "c\n"})

    assert tree(root, work.seal(place, "Work", work=True))["c.txt"] == "c\n"
