"""One request to the model: allowed, paid for, sent until it is answered whole, or given up in our own words."""

import asyncio
import json
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
from pydantic_ai.models import ModelRequestParameters, StreamedResponse
from pydantic_ai.settings import merge_model_settings
from pydantic_ai.tools import ToolDefinition

from walkaway.agent.compact import Compactor, size_of
from walkaway.agent.hands import Hands
from walkaway.agent.limits import Meter, tokens_of
from walkaway.agent.model import ContextFull, CutOff, OpenModel, cost_of, translated
from walkaway.agent.transcript import Transcript
from walkaway.core.brief import Brief, Limits, ModelCall, Watch
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
        meter: Meter | None = None,
    ) -> None:
        """Offer the tools of ``parameters``; they and the instructions add ``overhead_bytes`` to each request.

        ``meter``: the one that bounds this conversation together with others; None: it is bounded by itself.
        """
        self._model = model
        self._parameters = parameters
        self._overhead = tokens_of(overhead_bytes)
        self._limits = limits
        self._watch = watch
        self._transcript = transcript
        self._hands = hands
        self._first_wait_s = first_wait_s
        self._compactor = Compactor(model.context_tokens - model.most_output - self._overhead)
        self.meter = meter or Meter(limits, model.most_output, model.price)

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
        """Send the request once, as soon as what it may cost can be held."""
        asked = self._overhead + tokens_of(sum(map(size_of, messages)))
        async with self.meter.holding(asked) as room:
            return await self._send(messages, asked, room)

    async def _send(self, messages: list[ModelMessage], asked: int, room: int) -> ModelResponse:
        """Return the whole reply; what is known of its cost is recorded even where it is of no use."""
        settings = merge_model_settings(self._model.settings, {"max_tokens": room})
        heard: StreamedResponse | None = None
        clock, idle_s = asyncio.get_running_loop().time, self._limits.idle_s
        try:
            with translated(self._model.name):
                async with (
                    asyncio.timeout(idle_s) as idle,
                    model_request_stream(
                        self._model.model,
                        messages,
                        model_settings=settings,
                        model_request_parameters=self._parameters,
                    ) as stream,
                ):
                    heard = stream
                    async for event in stream:
                        idle.reschedule(clock() + idle_s)
                        self._note(event)
        except ProviderDown:
            if heard is not None:
                await self._settle(heard.get(), asked, whole=False)
            raise
        response = heard.get()
        whole = not _was_cut(response)
        await self._settle(response, asked, whole=whole)
        if not whole:
            message = f"{self._model.name} ended its reply half-way."
            raise CutOff(message)
        return response

    def _note(self, event: ModelResponseStreamEvent) -> None:
        """Write down each part of a reply as soon as it is complete."""
        if not isinstance(event, PartEndEvent):
            return
        match event.part:
            case TextPart(content=text) if text:
                self._transcript.write("text", text=text)
                self._watch.saw("text", first_line(text))
            case ThinkingPart(content=text) if text:
                self._transcript.write("thinking", text=text)
            case ToolCallPart() as call:
                self._transcript.write("call", id=call.tool_call_id, tool=call.tool_name, args=call.args_as_dict())
            case _:
                return

    async def _settle(self, response: ModelResponse, asked: int, *, whole: bool) -> None:
        """Record what a reply cost: by the provider's word, else by the estimate, which only a whole reply reports."""
        usage = response.usage
        told = bool(usage.input_tokens or usage.output_tokens)
        call = ModelCall(
            model=response.model_name or self._model.name,
            input_tokens=usage.input_tokens if told else asked,
            output_tokens=usage.output_tokens if told else tokens_of(size_of(response)),
            cached_tokens=usage.cache_read_tokens,
            usd=cost_of(response) if told else None,
        )
        self.meter.settle(call, asked)
        if told or whole:
            self._transcript.write(
                "usage",
                model=call.model,
                input=call.input_tokens,
                output=call.output_tokens,
                cached=call.cached_tokens,
                usd=call.usd,
                measured=told,
                finish=response.finish_reason,
            )
            await self._hands.watch(lambda: self._watch.spent(call))


def asking(
    model: OpenModel,
    brief: Brief,
    tools: list[ToolDefinition],
    *,
    watch: Watch,
    transcript: Transcript,
    hands: Hands,
    first_wait_s: float,
    meter: Meter | None = None,
) -> Asker:
    """Begin the transcript of a conversation, and return who asks the model in it."""
    schemas = [{"name": t.name, "description": t.description, "parameters": t.parameters_json_schema} for t in tools]
    transcript.write(
        "start", unit=brief.unit, attempt=brief.attempt, model=model.name, grant=brief.grant.name, tools=schemas
    )
    transcript.write("system", text=brief.system)
    transcript.write("prompt", text=brief.prompt)
    return Asker(
        model,
        ModelRequestParameters(function_tools=tools, output_mode="text", allow_text_output=True),
        overhead_bytes=len(brief.system.encode()) + len(json.dumps(schemas).encode()),
        limits=brief.limits,
        watch=watch,
        transcript=transcript,
        hands=hands,
        first_wait_s=first_wait_s,
        meter=meter,
    )


def first_line(text: str) -> str:
    """Return the first line that says something, short enough for a progress display."""
    return next((line.strip()[:120] for line in text.splitlines() if line.strip()), "")


def _was_cut(response: ModelResponse) -> bool:
    """Whether a stream ended without its finish, which pydantic-ai takes for success.

    Of Anthropic's and the Responses protocol it then knows no finish reason; for chat completions it makes one up, and
    only the provider's own word for it is missing.
    """
    if response.state != "complete" or response.finish_reason is None:
        return True
    details = response.provider_details or {}
    return "finish_reason" not in details and bool(response.usage.unmeasured_requests)
