"""Spend against policy: whether to go on."""

from walkaway.core.model import Policy, Usage

TOKENS_PER_USD = 100_000
"""What a model of unknown price is taken to cost, so that a cap in USD holds for it too: 10 USD a million tokens."""


def spent_usd(usage: Usage) -> float:
    """Return what was spent in USD; tokens of unknown price count at `TOKENS_PER_USD`."""
    if usage.usd is not None:
        return usage.usd
    return (usage.input_tokens + usage.output_tokens) / TOKENS_PER_USD


def left_usd(policy: Policy, usage: Usage) -> float | None:
    """Return how many USD may still be spent on the milestone, never below 0; None where there is no cap."""
    if policy.usd is None:
        return None
    return max(0.0, policy.usd - spent_usd(usage))
