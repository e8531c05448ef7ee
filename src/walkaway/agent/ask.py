"""One request to the model: allowed, paid for, sent until it is answered whole, or given up in our own words."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    ModelResponseStreamEvent,
    PartEndEvent,
    TextPart,
    ThinkingPart,
    ToolCallPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.settings import merge_model_settings

from walkaway.agent.compact import Compactor, size_of
from walkaway.agent.hands import Hands
from walkaway.agent.limits import Meter, tokens_of
from walkaway.agent.model import ContextFull, CutOff, OpenModel, cost_of, translated
from walkaway.agent.transcript import Transcript
from walkaway.core.brief import Limits, ModelCall, Watch
from walkaway.core.errors import ProviderDown

MOST_CUTS = 3
_LEAST_WAIT_S = 0.05


@dataclass(slots=True)
class _Patience:
    """How long one request has waited for its provider, and how often its reply was cut."""

    limits: Limits
    first_s: float
    waited_s: float = 0.0
    tries: int = 0
    cuts: int = 0

    def pause(self, error: ProviderDown) -> float:
        """Return the seconds to wait before the same request is sent again, or raise that it is too long."""
        asked = error.retry_after
        own = (_LEAST_WAIT_S if asked is not None else self.first_s) * 2**self.tries
        seconds = max(own, asked or 0.0)
        self.cuts += isinstance(error, CutOff)
        if self.cuts > MOST_CUTS or self.waited_s + seconds > self.limits.wait_s:
            raise ProviderDown(str(error), retry_after=seconds) from error
        self.tries += 1
        self.waited_s += seconds
        return seconds


class Asker:
    """Asks one model, for one conversation."""

    def __init__(
        self,
        model: OpenModel,
        parameters: ModelRequestParameters,
        *,
        overhead_bytes: int,
        limits: Limits,
        watch: Watch,
        transcript: Transcript,
        hands: Hands,
        first_wait_s: float,
    ) -> None:
        """Offer the tools of ``parameters``; they and the instructions add ``overhead_bytes`` to each request."""
        self._model = model
        self._parameters = parameters
        self._overhead = tokens_of(overhead_bytes)
        self._limits = limits
        self._watch = watch
        self._transcript = transcript
        self._hands = hands
        self._first_wait_s = first_wait_s
        self._compactor = Compactor(model.context_tokens - model.most_output - self._overhead)
        self.meter = Meter(limits, model.most_output, model.price)

    async def ask(self, messages: Sequence[ModelMessage]) -> ModelResponse:
        """Return the whole reply to a conversation; waits for an overloaded provider as long as the limits allow."""
        self.meter.next_request()
        patience = _Patience(self._limits, self._first_wait_s)
        shrunk = False
        while True:
            await self._hands.watch(self._watch.gate)
            try:
                return await self._attempt(self._compactor.fit(messages))
            except ContextFull:
                if shrunk or not self._compactor.shrink(messages):
                    raise
                shrunk = True
            except ProviderDown as error:
                await self._wait(patience.pause(error), error)

    async def _wait(self, seconds: float, error: ProviderDown) -> None:
        said = f"{seconds:.1f} s: {error}"
        self._transcript.write("wait", seconds=seconds, why=str(error))
        self._watch.saw("wait", said)
        await asyncio.sleep(seconds)

    async def _attempt(self, messages: list[ModelMessage]) -> ModelResponse:
        """Send the request once; what it cost is recorded even where its reply is of no use."""
        asked = self._overhead + tokens_of(sum(map(size_of, messages)))
        allowed = self.meter.reserve(asked)
        settings = merge_model_settings(self._model.settings, {"max_tokens": allowed})
        began = time.monotonic()
        response: ModelResponse | None = None
        try:
            with translated(self._model.name):
                async with (
                    asyncio.timeout(self._limits.idle_s) as idle,
                    model_request_stream(
                        self._model.model,
                        messages,
                        model_settings=settings,
                        model_request_parameters=self._parameters,
                    ) as stream,
                ):
                    async for event in stream:
                        response = None
                        idle.reschedule(asyncio.get_running_loop().time() + self._limits.idle_s)
                        self._note(event)
                    response = stream.get()
        except CutOff:
            await self._paid(self._call(None, asked, began))
            raise
        await self._paid(self._call(response, asked, began))
        if _was_cut(response):
            message = f"{self._model.name} ended its reply half-way."
            raise CutOff(message)
        return response
