"""From a configured name to a pydantic-ai model, and from every vendor's errors to ours.

Importing this module imports pydantic-ai; only the harness's own thread does.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import httpx2
from pydantic_ai import settings as pai
from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelQuotaExceededError,
    ModelRequestRejectedError,
    UnexpectedModelBehavior,
    UserError,
)
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models import Model, infer_model
from pydantic_ai.providers import Provider, infer_provider, infer_provider_class
from pydantic_ai.usage import RequestUsage

from walkaway.agent.settings import DEFAULT_CONTEXT_TOKENS, ModelSettings
from walkaway.core.errors import LimitReached, ProviderDown, ProviderRefused
from walkaway.redact import redact

NO_KEY = "no-key"
"""Sent to a server at a base URL that was given no key, so that no other service's key is sent there."""

_OPENAI = frozenset({"openai", "openai-chat", "openai-responses"})
_AGAIN = frozenset({408, 409, 425, 429})
_FIRST_SERVER_ERROR = 500


class ContextFull(LimitReached):
    """The provider says that the conversation is longer than the model's context."""


class CutOff(ProviderDown):
    """The provider's reply stopped before its end, or makes no sense: the same request may get a whole one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenModel:
    """A model that is ready to be asked, with its connection pool: keep it and use it again."""

    name: str
    model: Model
    settings: pai.ModelSettings
    most_output: int
    context_tokens: int

    def price(self, input_tokens: int, output_tokens: int) -> float | None:
        """Return the most that one call can cost in USD (all its input written to the cache), None where unknown."""
        provider = self.model.provider
        usage = RequestUsage(input_tokens=input_tokens, cache_write_tokens=input_tokens, output_tokens=output_tokens)
        return cost_of(
            ModelResponse(
                parts=[],
                usage=usage,
                model_name=self.model.model_name,
                provider_name=None if provider is None else provider.name,
                provider_url=self.model.base_url,
            )
        )


def cost_of(response: ModelResponse) -> float | None:
    """Return what a reply cost in USD, None where the model's price is unknown."""
    if not response.model_name or response.usage.unmeasured_requests:
        return None
    try:
        return float(response.cost().total_price)
    except LookupError:
        return None


def open_model(settings: ModelSettings) -> OpenModel:
    """Return the model, without having asked it anything; raise `ProviderRefused` where the name is of no use."""
    with translated(settings.name):
        kind, _, name = settings.name.partition(":")
        if settings.base_url is not None and kind == "openai":
            kind = "openai-chat"
        model = infer_model(f"{kind}:{name}" if name else kind, lambda provider: _provider(provider, settings))
    known = settings.context_tokens or model.context_window or DEFAULT_CONTEXT_TOKENS
    most = min(settings.max_output_tokens, max(1, known // 2))
    return OpenModel(
        name=settings.name,
        model=model,
        settings=cast("pai.ModelSettings", {"max_retries": 0, "cache": True, **settings.extra}),
        most_output=most,
        context_tokens=known,
    )


def _provider(name: str, settings: ModelSettings) -> Provider[object]:
    """Return the connection; only what was configured is passed, the rest is the provider's own affair."""
    given: dict[str, str] = {}
    if settings.base_url is not None:
        given = {"base_url": settings.base_url, "api_key": settings.api_key or NO_KEY}
    elif settings.api_key is not None:
        given = {"api_key": settings.api_key}
    if not given:
        return infer_provider(name)
    try:
        return infer_provider_class(name)(**given)
    except (TypeError, ValueError) as error:
        message = f"Models of '{name}' cannot be reached with {' and '.join(given)}: {error}"
        raise ProviderRefused(message) from error


# ---- errors ------------------------------------------------------------------------------------------------------


@contextmanager
def translated(name: str) -> Generator[None, None, None]:
    """Turn whatever a vendor's library raises into `ProviderDown`, `ProviderRefused` or `ContextFull`."""
    try:
        yield
    except ModelAPIError as error:
        raise _from_api(name, error) from error
    except UnexpectedModelBehavior as error:
        message = f"{name} answered something that cannot be understood: {_brief(error.message)}"
        raise CutOff(message) from error
    except TimeoutError as error:
        message = f"{name} stopped answering."
        raise CutOff(message) from error
    except httpx2.HTTPError as error:
        message = f"{name} cannot be reached: {_brief(str(error))}"
        raise ProviderDown(message) from error
    except (UserError, ImportError) as error:
        message = f"The model '{name}' cannot be used: {_brief(str(error))}"
        raise ProviderRefused(message) from error


def _from_api(name: str, error: ModelAPIError) -> ProviderDown | ProviderRefused | ContextFull:
    status = error.status_code if isinstance(error, ModelHTTPError) else None
    said = f"{name} answered {status or 'an error'}: {_words(error)}"
    if isinstance(error, ModelContextWindowExceededError):
        return ContextFull(said)
    if isinstance(error, ModelQuotaExceededError):
        return ProviderRefused(said)
    if status in _AGAIN or (status or 0) >= _FIRST_SERVER_ERROR:
        return ProviderDown(said, retry_after=_retry_after(error))
    if status is not None or isinstance(error, ModelRequestRejectedError):
        return ProviderRefused(said)
    return ProviderDown(said, retry_after=_retry_after(error))


def _retry_after(error: ModelAPIError) -> float | None:
    """Return the seconds that the provider asked for; fractions too, which the library does not read."""
    if error.retry_after is not None or not isinstance(error, ModelHTTPError):
        return error.retry_after
    try:
        seconds = float((error.headers or {}).get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def _words(error: ModelAPIError) -> str:
    """Return the provider's own sentence, found in the body, else the library's."""
    body = error.body
    for key in ("error", "message"):
        if isinstance(body, dict) and key in body:
            body = body[key]
    return _brief(body if isinstance(body, str) and body else error.message)


def _brief(text: str) -> str:
    return redact(" ".join(text.split()))[:600]
