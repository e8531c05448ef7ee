"""Conformance of a store: whoever adds a database runs this over it.

Import everything from here into a test module and give it two fixtures: ``store``, a fresh `Store` of a project that
has no milestone, and ``store_url``, the URL by which `walkaway.store.connect` finds the same database again.
"""

from walkaway.testing.store_commits import TestCommit, TestConstraints, TestOneInstant, TestTransactions
from walkaway.testing.store_fleet import TestCommands, TestKv, TestLeaseHistory, TestRecovery
from walkaway.testing.store_leases import TestFence, TestHolding, TestTakingOver
from walkaway.testing.store_pauses import TestPauses
from walkaway.testing.store_records import (
    TestBlobs,
    TestElsewhere,
    TestJournal,
    TestNumbers,
    TestOverview,
    TestThreads,
    TestUsage,
    TestWaiting,
)
from walkaway.testing.store_registers import TestRegisters
from walkaway.testing.store_settling import TestClocks, TestSettling

__all__ = [
    "TestBlobs",
    "TestClocks",
    "TestCommands",
    "TestCommit",
    "TestConstraints",
    "TestElsewhere",
    "TestFence",
    "TestHolding",
    "TestJournal",
    "TestKv",
    "TestLeaseHistory",
    "TestNumbers",
    "TestOneInstant",
    "TestOverview",
    "TestPauses",
    "TestRecovery",
    "TestRegisters",
    "TestSettling",
    "TestTakingOver",
    "TestThreads",
    "TestTransactions",
    "TestUsage",
    "TestWaiting",
]
