"""Two kinds of time."""

import time

import pytest

from walkaway import clock
from walkaway.clock import SystemClock


def test_now_is_the_epochs_time() -> None:
    assert abs(SystemClock().now() - time.time()) < 5


def test_the_measuring_clock_never_goes_back_with_or_without_boot_time(monkeypatch: pytest.MonkeyPatch) -> None:
    first = SystemClock().monotonic()
    assert SystemClock().monotonic() >= first

    monkeypatch.setattr(clock, "_BOOTTIME", None)
    first = SystemClock().monotonic()
    assert SystemClock().monotonic() >= first
