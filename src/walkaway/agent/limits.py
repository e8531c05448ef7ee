"""Turns, tokens and money of one conversation, reserved before they are spent.

Before each request the input is taken at a token for every three bytes, and the output at the most that the request
allows; only what that would cost at the model's price may be asked for, so a cap is overrun by no more than

- the error of that estimate for one request's input (text of more than a token per three bytes, such as emoji; once
  a provider was seen to count more, later estimates are scaled up alike), and
- whatever a provider charges beyond ``max_tokens`` of output, which honest ones do not.

Where several conversations share a budget, what a call may cost at most is held until it is settled. One that would
fit only without what others hold waits until they let go.

Near the end of a budget the output is cut to what is left; below `LEAST_OUTPUT` tokens the call is not made. A model
of unknown price counts as ``tokens_per_usd`` tokens for a dollar; its cost is reported as None.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from walkaway.core.brief import Limits, ModelCall
from walkaway.core.errors import BudgetSpent, Exhausted, LimitReached

BYTES_PER_TOKEN = 3
LEAST_OUTPUT = 1024

Price = Callable[[int, int], float | None]
"""(input tokens, output tokens) -> USD; None where the price is unknown."""


def tokens_of(size: int) -> int:
    """Return how many tokens so many bytes are taken for."""
    return math.ceil(size / BYTES_PER_TOKEN)


class Meter:
    """What one conversation and its sub-agents have used, and whether they may use more."""

    def __init__(self, limits: Limits, most_output: int, price: Price) -> None:
        """Start at nothing; ``most_output`` is what a request asks for where it can be paid."""
        self._limits = limits
        self._most = most_output
        self._price = price
        self._usd = 0.0
        self._tokens = 0
        self._scale = 1.0
        self._held: list[tuple[int, float]] = []
        self._freed = asyncio.Event()
        self.requests = 0

    def next_request(self) -> None:
        """Count a request; raise `LimitReached` instead where the last allowed one was made."""
        if self.requests >= self._limits.requests:
            message = f"The agent used its {self._limits.requests} requests without an accepted report."
            raise LimitReached(message)
        self.requests += 1

    @asynccontextmanager
    async def holding(self, input_tokens: int) -> AsyncGenerator[int, None]:
        """Hold what the next call may cost, as `reserve` says it, while the context lasts; settle it inside."""
        while self._held and not self._fits(input_tokens):
            await self._freed.wait()
        room = self.reserve(input_tokens)
        asked = math.ceil(input_tokens * self._scale)
        hold = (asked + room, self._cost(asked, room))
        self._held.append(hold)
        try:
            yield room
        finally:
            self._held.remove(hold)
            self._freed.set()
            self._freed = asyncio.Event()

    def _fits(self, input_tokens: int) -> bool:
        """Whether a call fits beside what is held, its output uncut."""
        try:
            return self.reserve(input_tokens) == self._most
        except Exhausted:
            return False

    def reserve(self, input_tokens: int) -> int:
        """Return how many output tokens the next call may ask for; raise where too few are left to be of use."""
        least = min(LEAST_OUTPUT, self._most)
        input_tokens = math.ceil(input_tokens * self._scale)
        tokens = self._limits.tokens
        used = self._tokens + sum(held for held, _ in self._held)
        room = self._most if tokens is None else min(self._most, tokens - used - input_tokens)
        if room < least:
            message = f"The unit may use {tokens} tokens and has used {self._tokens}; the next call might exceed that."
            raise LimitReached(message)
        room = min(room, self._affordable(input_tokens))
        if room < least:
            message = (
                f"{self._limits.usd:.2f} USD were left for this unit and {self._usd:.2f} are spent; the next call "
                "might exceed that. Raise limits.usd to go on."
            )
            raise BudgetSpent(message)
        return room

    def settle(self, call: ModelCall, estimated: int) -> None:
        """Add what a call really used, whose input was ``estimated``."""
        self._scale = max(self._scale, call.input_tokens / max(estimated, 1))
        tokens = call.input_tokens + call.output_tokens
        self._tokens += tokens
        self._usd += tokens / self._limits.tokens_per_usd if call.usd is None else call.usd

    def _affordable(self, input_tokens: int) -> int:
        """Return the output tokens that the rest of the budget pays for, at most those that would be asked for."""
        if self._limits.usd is None:
            return self._most
        left = self._limits.usd - self._usd - sum(held for _, held in self._held)
        fixed, full = self._cost(input_tokens, 0), self._cost(input_tokens, self._most)
        if full <= left:
            return self._most
        return max(0, int(self._most * (left - fixed) / (full - fixed))) if full > fixed else 0

    def _cost(self, input_tokens: int, output_tokens: int) -> float:
        known = self._price(input_tokens, output_tokens)
        return (input_tokens + output_tokens) / self._limits.tokens_per_usd if known is None else known
