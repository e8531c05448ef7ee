"""Conversations inside a conversation: they may read, they answer in words, and all they use is their sender's."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    TextPart,
    ToolCallPart,
    UserPromptPart,
)

from walkaway.agent.ask import Asker, asking
from walkaway.agent.bench import Bench, GarbageCall
from walkaway.agent.conversation import AskAgain, Strikes, StuckGuard, answer_to, arguments_of, defined, failure_of
from walkaway.agent.hands import Hands, Threads
from walkaway.agent.limits import Meter
from walkaway.agent.model import OpenModel
from walkaway.agent.policy import Refuse, while_pending
from walkaway.agent.tool import Site, ToolError, ToolRefused, clip, real
from walkaway.agent.tools.subagent import Errand
from walkaway.agent.transcript import Redact, Transcript
from walkaway.core.brief import Brief, Watch
from walkaway.core.errors import AgentStuck, LimitReached, ProviderDown
from walkaway.core.grant import ERRAND

MOST_AT_ONCE = 4
MOST_SENT = 16
MOST_REQUESTS = 40
MOST_S = 900.0
ANSWER_MOST = 8_000
"""Most bytes of an answer that its sender is told."""

SYSTEM = f"""\
You are a sub-agent: another agent sent you to find something out. {ERRAND.sentence()}
Nobody answers questions. When you know enough, answer in words, without calling a tool: what you found, each fact with
the file and line that shows it, and what you could not find. At most {ANSWER_MOST} bytes of it are read."""


@dataclass(slots=True, kw_only=True)
class Subagents:
    """Those that one conversation sends: at most `MOST_AT_ONCE` work at a time, `MOST_SENT` in all.

    ``meter`` is the sender's, so that its requests, tokens and money bound them all together. ``transcript`` is the
    sender's path; that of the n-th lies beside it, ``….sub<n>.jsonl``.
    """

    brief: Brief
    model: OpenModel
    meter: Meter
    site: Site
    threads: Threads
    watch: Watch
    transcript: str
    redact: Redact
    now: Callable[[], float]
    first_wait_s: float
    _sent: int = field(init=False, default=0)
    _places: asyncio.Semaphore = field(init=False, default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE))

    async def send(self, errand: Errand) -> str:
        """Return what a sub-agent says at its end; raise `ToolRefused` where it came to none.

        What has to end the unit (a spent budget, a cancellation, a lost lease, a provider that refuses) is raised as
        it is. Sub-agents are numbered in the order of these calls.
        """
        if self._sent >= MOST_SENT:
            message = f"You have sent {MOST_SENT} sub-agents, and no more are to be had. Go on without."
            raise ToolRefused(message)
        self._sent += 1
        number = self._sent
        async with self._places:
            try:
                return _told(await self._converse(number, errand))
            except (LimitReached, AgentStuck, ProviderDown) as error:
                message = f"The sub-agent came to no answer: {error}"
                raise ToolRefused(message) from error

    async def _converse(self, number: int, errand: Errand) -> str:
        """Hold the conversation, in a transcript and with a stop of its own; a cancelled task sets that."""
        path = real(self.transcript).with_suffix(f".sub{number}.jsonl")
        site = replace(self.site, cancel=threading.Event(), outputs=path.with_suffix(".outputs"))
        watch = replace(self.watch, saw=lambda kind, text: self.watch.saw(kind, f"sub{number}: {text}"))
        brief = _brief(self.brief, number, errand)
        with Transcript(str(path), self.redact, self.now) as log:
            bench, hands = Bench(brief.grant, site, self.redact, beside=()), Hands(self.threads, site.cancel)
            asker = asking(
                self.model,
                brief,
                defined(bench),
                watch=watch,
                transcript=log,
                hands=hands,
                first_wait_s=self.first_wait_s,
                meter=self.meter,
            )
            try:
                async with asyncio.timeout(MOST_S):
                    return await Subconversation(brief, asker, bench, watch, log, hands).run()
            except TimeoutError as error:
                message = f"It worked for {MOST_S:.0f} s without an answer."
                raise LimitReached(message) from error


class Subconversation:
    """One errand, worked on by one model until it says something and calls no tool."""

    def __init__(
        self, brief: Brief, asker: Asker, bench: Bench, watch: Watch, transcript: Transcript, hands: Hands
    ) -> None:
        """Open with the brief, like any conversation; what people say meanwhile is for the sender."""
        self._asker = asker
        self._bench = bench
        self._watch = watch
        self._transcript = transcript
        self._hands = hands
        self._stuck = StuckGuard()
        self._strikes = Strikes()
        self._instructions = brief.system
        self._messages: list[ModelMessage] = [self._request([UserPromptPart(brief.prompt)])]

    async def run(self) -> str:
        """Return the answer; raise `LimitReached` where there is none after `MOST_REQUESTS` requests."""
        for _ in range(MOST_REQUESTS):
            reply = await self._asker.ask(self._messages)
            calls = [part for part in reply.parts if isinstance(part, ToolCallPart)]
            if not calls:
                return _answer(reply)
            self._messages += [reply, self._request([await self._do(call) for call in calls])]
        message = f"It made {MOST_REQUESTS} requests without an answer."
        raise LimitReached(message)

    async def _do(self, call: ToolCallPart) -> ModelRequestPart:
        """Carry out one call; whatever is wrong with it is told to the model."""
        await self._hands.watch(self._watch.gate)
        held = while_pending(await self._hands.watch(self._watch.pending), call.tool_name)
        arguments = arguments_of(call)
        warning = self._stuck.seen(call.tool_name, arguments if arguments is not None else str(call.args))
        self._watch.saw("tool", call.tool_name)
        try:
            text = await self._called(call.tool_name, arguments, held.why if isinstance(held, Refuse) else "")
            self._strikes.garbage = 0
            failed = False
        except ToolError as error:
            if isinstance(error, GarbageCall):
                self._strikes.trash(str(error))
            text, failed = failure_of(error), True
        text = f"{text}\n\n{warning}" if warning else text
        self._transcript.write("result", id=call.tool_call_id, tool=call.tool_name, failed=failed, text=text)
        return answer_to(call, text, failed=failed)

    async def _called(self, name: str, arguments: str | None, held: str) -> str:
        """Return what a call came to; raise `ToolError` where it did nothing."""
        if held:
            raise AskAgain(held)
        if arguments is None:
            raise GarbageCall(f"The arguments of '{name}' are no JSON object.")
        return await self._hands.work(lambda: self._bench.run(name, arguments))

    def _request(self, parts: list[ModelRequestPart]) -> ModelRequest:
        return ModelRequest(parts=parts, instructions=self._instructions)


def _brief(sender: Brief, number: int, errand: Errand) -> Brief:
    """Return the brief of an errand; its ``Unit:`` line is the last, after all that the sender may have quoted."""
    unit = f"{sender.unit}/sub{number}"
    about = f"# {errand.about.strip()}\n\n" if errand.about.strip() else ""
    return Brief(
        unit=unit,
        attempt=sender.attempt,
        system=SYSTEM,
        prompt=f"{about}{errand.task.strip()}\n\nUnit: {unit} (attempt {sender.attempt})\n",
        grant=ERRAND,
        limits=sender.limits,
    )


def _answer(reply: ModelResponse) -> str:
    """Return what a reply says; raise `AgentStuck` where it neither says nor calls for anything."""
    said = "".join(part.content for part in reply.parts if isinstance(part, TextPart)).strip()
    if not said:
        message = "It ended without a word."
        raise AgentStuck(message)
    return said


def _told(answer: str) -> str:
    """Return an answer, or as much of its start as its sender is told."""
    head = clip(answer, ANSWER_MOST)
    left_out = len(answer) - len(head)
    return f"{head}\n[... {left_out} more characters left out ...]" if left_out else head
