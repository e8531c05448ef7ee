"""The conformance suite over both databases."""

from walkaway.testing.store_suite import *  # noqa: F403
