"""The doctor itself: what it looks at in which order, what it lets go ahead, and the one door to every change."""

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.doctor.conftest import blinded
from tests.doctor.test_repository import everything, hook
from walkaway import doctor
from walkaway.core.errors import GitFailed
from walkaway.doctor import CHECKS, Check, Fault, Finding, Patient, Severity
from walkaway.doctor.check import GENERAL

REFERENCE = Path(__file__).parent.parent.parent / "docs" / "reference.md"
ODD = Fault(code="odd", severity=Severity.WARNING, means="Odd.", mends="makes it even")


def check(finds: Sequence[Finding] | Exception, fixes: Exception | str = "", **more: object) -> Check:
    def look(_: Patient) -> Sequence[Finding]:
        if isinstance(finds, Exception):
            raise finds
        return finds

    def fix(_patient: Patient, _finding: Finding) -> str:
        if isinstance(fixes, Exception):
            raise fixes
        return fixes

    return Check(id="odd", healthy="Even.", faults=(ODD,), finds=look, fixes=fix, **more)


@pytest.fixture
def only(monkeypatch):
    def plant(*checks: Check) -> None:
        monkeypatch.setattr(doctor, "CHECKS", checks)

    return plant


# ---- what can be found --------------------------------------------------------------------------------------------


def test_a_code_is_one_word_of_one_check_and_never_used_twice():
    codes = [fault.code for fault in doctor.faults()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)
    assert {fault.code for fault in GENERAL} <= set(codes)


def test_every_code_is_documented_with_how_bad_it_is_and_what_is_done_about_it():
    text = REFERENCE.read_text(encoding="utf-8")
    for fault in doctor.faults():
        assert f"| `{fault.code}` | {fault.severity} | {fault.means} | {fault.mends or '-'} |" in text


def test_a_check_mends_exactly_where_one_of_its_faults_says_so():
    for each in CHECKS:
        assert (each.fixes is not None) == any(fault.mends for fault in each.faults), each.id


def test_a_check_comes_after_those_that_it_needs():
    for n, each in enumerate(CHECKS):
        assert set(each.needs) <= {before.id for before in CHECKS[:n]}, each.id


def test_what_is_found_is_what_the_check_says_it_may_find(ward):
    declared = {each.id: {fault.code for fault in (*each.faults, *GENERAL)} for each in CHECKS}
    for patient in (ward.patient, blinded(ward).patient, Patient(root="/nowhere", state=str(ward.state))):
        for finding in doctor.examine(patient):
            assert finding.severity is Severity.OK or finding.code in declared[finding.check]
            assert finding.severity is Severity.OK or finding.fix


# ---- looking ------------------------------------------------------------------------------------------------------


def test_a_check_that_finds_nothing_says_that_all_is_well(ward, only):
    only(check([]))
    (finding,) = doctor.examine(ward.patient)
    assert (finding.code, finding.check, finding.severity, finding.message) == ("odd", "odd", Severity.OK, "Even.")


@pytest.mark.parametrize("error", [GitFailed("git is gone"), PermissionError(13, "Permission denied", "/x")])
def test_a_check_that_cannot_look_is_an_error_and_hides_no_other(ward, only, error):
    only(check(error), check([ODD.found("x", "It is odd.", "Add one.")]))
    blind, odd = doctor.examine(ward.patient)
    assert (blind.code, blind.severity, str(error) in blind.message) == ("cannot-look", Severity.ERROR, True)
    assert odd.code == "odd"


def test_what_an_error_leaves_blind_is_said_to_be_left_out(ward):
    ill = blinded(ward)
    (finding,) = ill.findings("database-unusable")
    assert finding.message == "There is no database."
    left_out = {f.check: f.message for f in ill.findings("not-looked-at")}
    assert left_out.keys() == {
        "journal", "workers", "leases", "dispatches", "commands", "pauses", "targets", "projections", "worktrees"
    }  # fmt: skip
    assert "because of database" in left_out["targets"]


def test_settings_that_cannot_be_read_leave_blind_what_follows_from_them(ward):
    ill = replace(ward.patient, configuration="There is no setting 'x'.", store=None, model=None)
    left_out = {f.check for f in doctor.examine(ill) if f.code == "not-looked-at"}
    assert left_out >= {"model", "database", "journal"}


def test_a_database_that_breaks_while_it_is_read_is_found(ward):
    ward.sql("DROP TABLE usage")
    (finding,) = ward.findings("database-unusable")
    assert "usage" in finding.message


# ---- mending ------------------------------------------------------------------------------------------------------


def test_only_what_says_so_is_mended(ward, only):
    only(check([], fixes="It is even."))
    plain = replace(ODD, mends="")
    odd, left = ODD.found("x", "", ""), plain.found("y", "", "")
    (mended,) = doctor.mend(ward.patient, [replace(odd, check="odd"), replace(left, check="odd")])
    assert (mended.finding.scope, mended.done, mended.why) == ("x", "It is even.", "")


@pytest.mark.parametrize("error", [GitFailed("git is gone"), PermissionError(13, "Permission denied", "/x")])
def test_what_cannot_be_mended_says_why_and_holds_up_no_other(ward, only, error):
    only(check([], fixes=error))
    odd = replace(ODD.found("x", "", ""), check="odd")
    first, second = doctor.mend(ward.patient, [odd, odd])
    assert (first.done, first.why, second.why) == ("", str(error), str(error))


# ---- the health gate ----------------------------------------------------------------------------------------------


def bare(patient: Patient) -> Patient:
    """All that the gate asks for."""
    return Patient(root=patient.root, state=patient.state)


def test_a_healthy_project_may_go_ahead(ward):
    assert doctor.health(bare(ward.patient)) == ()


def test_what_forbids_to_begin_a_unit(ward, without_room, monkeypatch):
    gate = bare(ward.patient)
    path = hook(ward, "#!/no/such/shell\n")
    assert [f.code for f in doctor.health(gate)] == ["hook-cannot-run"]
    path.unlink()
    without_room(0)
    assert {f.code for f in doctor.health(gate)} == {"disk-full"}
    monkeypatch.undo()
    assert doctor.health(gate) == ()
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "/nowhere")
        (finding,) = doctor.health(gate)
        assert (finding.code, finding.fix) == ("git-missing", "Install git 2.38 or newer.")
    (ward.root / ".git").rename(ward.root / "gone")
    assert [f.code for f in doctor.health(gate)] == ["repository-unusable"]


def test_what_is_the_user_s_own_business_does_not_hold_the_work_up(ward):
    for name, value in {"commit.gpgsign": "true", "gpg.program": "/no/gpg"}.items():
        ward.git("config", name, value)
    (ward.root / ".git/MERGE_HEAD").write_text(ward.git("rev-parse", "HEAD"))
    (ward.root / ".git/index.lock").touch()
    assert ward.codes() >= {"git-unfinished", "index-lock", "signing-broken"}
    assert doctor.health(bare(ward.patient)) == ()


def test_the_gate_changes_nothing(ward):
    before = everything(ward.root)
    doctor.health(bare(ward.patient))
    assert everything(ward.root) == before


def test_the_gate_takes_a_few_milliseconds(ward):
    gate = bare(ward.patient)
    took = []
    for _ in range(20):
        began = time.perf_counter()
        assert doctor.health(gate) == ()
        took.append(time.perf_counter() - began)
    assert min(took) < 0.005
