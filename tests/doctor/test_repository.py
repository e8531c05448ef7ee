"""Checks of git and of the user's checkout: each fault is planted and found; nothing of the user's is ever touched."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.doctor.conftest import Ward, blinded
from walkaway import proc
from walkaway.doctor import Severity, hooks, signing
from walkaway.git import repo

NO_USER = ("user.name", "user.email")


def conflict(ward: Ward, *how: str) -> None:
    """Leave the checkout in the middle of ``git how…`` with a conflict."""
    ward.commit("a", "base\n")
    ward.git("checkout", "--quiet", "-b", "theirs")
    ward.commit("a", "theirs\n")
    ward.git("checkout", "--quiet", "main")
    ward.commit("a", "ours\n")
    assert proc.run(("git", *how), ward.root).exit_code != 0


def everything(root: Path) -> dict[str, bytes]:
    """Return every file below a folder, but for the database's own."""
    files = (path for path in root.rglob("*") if path.is_file() and "state.db" not in path.name)
    return {str(path): path.read_bytes() for path in files}


# ---- git ----------------------------------------------------------------------------------------------------------


def test_a_git_that_is_too_old_is_found(ward, monkeypatch):
    monkeypatch.setattr(repo, "OLDEST", (99, 1))
    monkeypatch.setattr("walkaway.doctor.git.OLDEST", (99, 1))
    (finding,) = ward.findings("git-too-old")
    assert (finding.severity, finding.scope) == (Severity.ERROR, "environment")
    assert "Install git 99.1 or newer" in finding.fix


def test_a_git_that_is_missing_is_found_and_what_needs_it_is_left_out(ward, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    (finding,) = ward.findings("git-missing")
    assert (finding.severity, finding.message) == (Severity.ERROR, "git is not on the path.")
    left_out = {f.check for f in ward.findings("not-looked-at")}
    assert left_out == {"checkout", "hooks", "signing", "exclusion", "targets", "worktrees"}


def test_a_repository_that_is_gone_or_broken_is_found(ward):
    shutil.copytree(ward.root / ".git", ward.root / "kept")
    (ward.root / ".git/HEAD").write_text("nonsense\n")
    (finding,) = ward.findings("repository-unusable")
    assert (finding.severity, finding.scope) == (Severity.ERROR, "repository")
    shutil.rmtree(ward.root / ".git")
    assert ward.findings("repository-unusable") != []
    (ward.root / "kept").rename(ward.root / ".git")
    assert ward.findings("repository-unusable") == []


def test_a_repository_that_cannot_be_written_to_is_found(ward, monkeypatch):
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: "objects" not in str(path) and real(path, mode))
    (finding,) = ward.findings("repository-unusable")
    assert finding.message == f"{ward.root}/.git/objects cannot be written to."


@pytest.mark.parametrize(("unset", "told"), [(NO_USER, "user.name and user.email are"), (NO_USER[1:], "user.email is")])
def test_commits_that_nobody_would_sign_are_named(ward, unset, told):
    for name in unset:
        ward.git("config", "--unset", name)
    (finding,) = ward.findings("committer-unset")
    assert (finding.severity, f"{told} not set" in finding.message) == (Severity.NOTE, True)


# ---- the user's checkout ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "named"),
    [
        (("merge", "theirs"), "merge"),
        (("rebase", "theirs"), "rebase"),
        (("cherry-pick", "theirs"), "cherry-pick"),
        (("revert", "--no-edit", "theirs~1"), "revert"),
    ],
)
def test_something_begun_in_the_checkout_is_found_and_never_ended_by_us(ward, how, named):
    conflict(ward, *how)
    (ward.root / "a").write_text("resolved by hand, and nowhere else\n")
    before = everything(ward.root)
    (finding,) = ward.findings("git-unfinished")
    assert (finding.severity, finding.fixable, finding.scope) == (Severity.ERROR, False, "repository")
    assert f"A {named} was begun in {ward.root}" in finding.message
    assert f"git {named} --abort" in finding.fix
    ward.mend()
    assert everything(ward.root) == before


def test_conflicts_are_named_with_what_was_begun(ward):
    conflict(ward, "merge", "theirs")
    (finding,) = ward.findings("git-unfinished")
    assert "a still has conflicts" in finding.message
    assert ward.findings("git-unmerged") == []


def test_a_bisect_is_found(ward):
    ward.commit("a", "1\n")
    ward.git("bisect", "start")
    (finding,) = ward.findings("git-unfinished")
    assert "git bisect reset" in finding.fix
    ward.git("bisect", "reset")
    assert ward.findings("git-unfinished") == []


def test_a_merge_is_found_where_git_s_folder_is_elsewhere(ward):
    ward.git("init", "--quiet", "--separate-git-dir", str(ward.root.parent / "elsewhere.git"))
    assert (ward.root / ".git").is_file()
    conflict(ward, "merge", "theirs")
    assert len(ward.findings("git-unfinished")) == 1


def test_conflicts_of_a_stash_are_found(ward):
    ward.commit("a", "base\n")
    (ward.root / "a").write_text("stashed\n")
    ward.git("stash")
    ward.commit("a", "changed\n")
    assert proc.run(("git", "stash", "pop"), ward.root).exit_code != 0
    (finding,) = ward.findings("git-unmerged")
    assert (finding.severity, "a has conflicts" in finding.message) == (Severity.ERROR, True)


@pytest.mark.parametrize(("ago", "told"), [(5, "it was made 5 s ago"), (3600, "it was made 60 min ago")])
def test_a_lock_on_the_checkout_is_named_with_its_age_and_stays(ward, ago, told):
    lock = ward.root / ".git/index.lock"
    lock.touch()
    os.utime(lock, (ward.store.now() - ago,) * 2)
    (finding,) = ward.findings("index-lock")
    assert (finding.severity, told in finding.message) == (Severity.WARNING, True)
    ward.mend()
    assert lock.exists()
    assert "ago" not in blinded(ward).findings("index-lock")[0].message


# ---- hooks --------------------------------------------------------------------------------------------------------


def hook(ward: Ward, text: str, name: str = "pre-commit", mode: int = 0o755) -> Path:
    path = ward.root / ".git/hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("#!/no/such/shell\nexit 0\n", "/no/such/shell"),
        ("#! /no/such/shell -e\nexit 0\n", "/no/such/shell"),
        ("#!/usr/bin/env no-such-language\nexit 0\n", "no-such-language"),
    ],
)
def test_a_hook_whose_program_is_missing_is_found_as_git_would_refuse_every_commit(ward, text, program):
    path = hook(ward, text)
    assert proc.run(("git", "commit", "--allow-empty", "-m", "x"), ward.root).exit_code != 0
    (finding,) = ward.findings("hook-cannot-run")
    assert (finding.severity, finding.message) == (
        Severity.ERROR, f"{path} cannot run: there is no {program}. Every commit would be refused."
    )  # fmt: skip


@pytest.mark.parametrize("text", ["#!/bin/sh\n", "#!/usr/bin/env sh\n", "#!/usr/bin/env -S sh -e\n", "exit 0\n", ""])
def test_a_hook_that_can_run_is_not_found(ward, text):
    hook(ward, text)
    assert proc.run(("git", "commit", "--allow-empty", "-m", "x"), ward.root).exit_code == 0
    assert {f.check for f in ward.findings()}.isdisjoint({"hooks"})


def test_a_repository_without_hooks_needs_none(ward):
    shutil.rmtree(ward.root / ".git/hooks", ignore_errors=True)
    assert {f.check for f in ward.findings()}.isdisjoint({"hooks"})


def test_a_hook_that_judges_nothing_may_be_broken(ward):
    hook(ward, "#!/no/such/shell\n", "pre-push")
    assert ward.findings("hook-cannot-run") == []


def test_a_hook_that_git_passes_over_is_found(ward):
    hook(ward, "#!/bin/sh\n", mode=0o644)
    (ward.root / ".git/hooks/commit-msg").symlink_to("/nowhere")
    hook(ward, "#!/bin/sh\n", "pre-commit.sample", mode=0o644)
    (finding,) = ward.findings("hook-not-executable")
    assert finding.severity is Severity.WARNING
    assert ".git/hooks/pre-commit, " in finding.message
    assert ".git/hooks/commit-msg:" in finding.message


@pytest.mark.parametrize("absolute", [False, True])
def test_a_folder_of_hooks_that_is_not_there_is_found(ward, tmp_path, absolute):
    folder = tmp_path / "mine" if absolute else ward.root / ".husky/_"
    ward.git("config", "core.hooksPath", str(folder) if absolute else ".husky/_")
    (finding,) = ward.findings("hooks-path-missing")
    assert (finding.severity, str(folder) in finding.message) == (Severity.WARNING, True)
    folder.mkdir(parents=True)
    assert ward.findings("hooks-path-missing") == []
    (folder / "pre-commit").write_text("#!/no/such/shell\n")
    (folder / "pre-commit").chmod(0o755)
    assert len(ward.findings("hook-cannot-run")) == 1


# ---- signing ------------------------------------------------------------------------------------------------------


def test_who_does_not_sign_needs_no_program(ward, monkeypatch):
    ward.git("config", "gpg.program", "/no/such/gpg")
    assert ward.findings("signing-broken") == []


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"gpg.program": "/no/such/gpg"}, "by /no/such/gpg, which is not there"),
        ({"gpg.format": "x509", "gpg.x509.program": "no-smime"}, "by no-smime, which is not there"),
        ({"gpg.format": "paper"}, "gpg.format is 'paper'"),
        ({"gpg.format": "ssh", "gpg.ssh.program": "no-keygen"}, "by no-keygen"),
        ({"gpg.format": "ssh", "gpg.ssh.program": "sh"}, "user.signingkey names none"),
        ({"gpg.format": "ssh", "gpg.ssh.program": "sh", "user.signingkey": "~/no.pub"}, "the SSH key ~/no.pub"),
    ],
)
def test_commits_that_cannot_be_signed_are_found_before_the_work_is_done(ward, settings, told):
    for name, value in {"commit.gpgsign": "true", **settings}.items():
        ward.git("config", name, value)
    (finding,) = ward.findings("signing-broken")
    assert (finding.severity, told in finding.message) == (Severity.ERROR, True)
    assert "commit.gpgsign false" in finding.fix


@pytest.mark.parametrize("key", ["key::ssh-ed25519 AAAA", "ssh-ed25519 AAAA", "id.pub"])
def test_an_ssh_key_that_is_there_is_not_found(ward, key):
    (ward.root / "id.pub").write_text("ssh-ed25519 AAAA\n")
    config = {"commit.gpgsign": "true", "gpg.format": "ssh", "gpg.ssh.program": "sh", "user.signingkey": key}
    for name, value in config.items():
        ward.git("config", name, value)
    assert ward.findings("signing-broken", "signing-key-unseen") == []


def test_a_home_of_gnupg_without_a_secret_key_is_a_warning_and_is_not_made(ward, tmp_path, monkeypatch):
    home = tmp_path / "gnupg"
    monkeypatch.setenv("GNUPGHOME", str(home))
    monkeypatch.setitem(signing.PROGRAMS, "openpgp", ("sh", ("gpg.program",)))  # a program that is surely there
    ward.git("config", "commit.gpgsign", "true")
    (finding,) = ward.findings("signing-key-unseen")
    assert (finding.severity, str(home) in finding.message, home.exists()) == (Severity.WARNING, True, False)
    (home / "private-keys-v1.d").mkdir(parents=True)
    (home / "private-keys-v1.d/0A.key").touch()
    assert ward.findings("signing-key-unseen", "signing-broken") == []


# ---- our own folder -----------------------------------------------------------------------------------------------


def test_a_state_folder_that_git_does_not_ignore_is_found_and_excluded(ward):
    exclude = ward.root / ".git/info/exclude"
    exclude.write_text("*.log\n")
    (finding,) = ward.findings("state-not-ignored")
    assert (finding.severity, finding.fixable) == (Severity.WARNING, True)
    assert exclude.read_text() == "*.log\n"
    (mended,) = [m for m in ward.mend() if m.finding.code == "state-not-ignored"]
    assert (mended.done, exclude.read_text()) == ("git ignores .walkaway now.", "*.log\n/.walkaway\n")
    assert ward.findings("state-not-ignored") == []


def test_a_state_folder_that_the_project_ignores_itself_is_well(ward):
    (ward.root / ".git/info/exclude").write_text("")
    ward.commit(".gitignore", ".walkaway/\n")
    assert ward.findings("state-not-ignored") == []


def test_a_project_that_insists_on_seeing_the_state_folder_is_told_so(ward):
    ward.commit(".gitignore", "!/.walkaway\n")
    (mended,) = [m for m in ward.mend() if m.finding.code == "state-not-ignored"]
    assert (mended.done, "take that line out" in mended.why) == ("", True)


def test_a_state_folder_behind_a_link_is_looked_at(ward, tmp_path):
    (tmp_path / "linked").mkdir()
    shutil.rmtree(ward.root / ".walkaway")
    (ward.root / ".walkaway").symlink_to(tmp_path / "linked")
    assert blinded(ward).findings("state-not-ignored", "cannot-look") == []


def test_files_of_the_state_folder_that_were_committed_are_found(ward):
    (ward.state / "config.toml").write_text("")
    ward.git("add", "--force", ".walkaway/config.toml")
    (finding,) = ward.findings("state-tracked")
    assert (finding.severity, ".walkaway/config.toml" in finding.message) == (Severity.WARNING, True)
    ward.mend()
    assert ward.git("ls-files", ".walkaway") == ".walkaway/config.toml"


def test_what_git_says_is_remembered_by_one_patient_only(ward):
    patient = replace(ward.patient)
    assert hooks.finds(patient) == []
    ward.git("config", "core.hooksPath", "nowhere")
    assert hooks.finds(patient) == []
    assert hooks.finds(replace(patient)) != []
