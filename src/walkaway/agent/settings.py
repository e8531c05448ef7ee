"""Which model to talk to, and where: values that need no model library to be made."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """A model by name (``provider:model``), and what a connection to it needs.

    With a ``base_url``, ``openai:NAME`` means chat completions there; without one, the Responses API.
    ``api_key`` is the secret itself; None leaves it to the provider's own environment variable, but a server at a
    ``base_url`` is never sent a key that was not given here.
    """

    name: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    max_output_tokens: int = 16_384
    """Most tokens of one reply; sent with every request, because money is reserved for it."""
    context_tokens: int | None = None
    """Size of the context window; None takes what is known of the model, else `DEFAULT_CONTEXT_TOKENS`."""
    backoff_s: float = 0.5
    """First wait for a provider that does not say how long to wait; it doubles."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """More settings of pydantic-ai's `ModelSettings`, such as ``temperature`` or ``thinking``."""


DEFAULT_CONTEXT_TOKENS = 150_000
