"""Each planted fault has exactly one place in the code: one that lost it would go unnoticed until it is tried."""

from pathlib import Path

import pytest

import walkaway
from tests.mutations import Mutation, every

SOURCES = Path(walkaway.__file__).parent
TESTS = Path(__file__).parent.parent


@pytest.mark.parametrize("fault", every(), ids=lambda fault: fault.name)
def test_a_planted_fault_has_one_place_and_tests_that_are_there(fault: Mutation) -> None:
    assert (SOURCES / fault.file).read_text(encoding="utf-8").count(fault.old) == 1
    assert fault.old != fault.new
    assert all((TESTS / path.partition("::")[0]).exists() for path in fault.tests)


def test_no_two_have_one_name() -> None:
    names = [fault.name for fault in every()]
    assert sorted(names) == sorted(set(names))
