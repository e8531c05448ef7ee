"""The loop: ask the model, do what it calls for, tell it the results, until the desk accepts its report."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.tools import ToolDefinition

from walkaway.agent.ask import Asker, first_line
from walkaway.agent.bench import Bench, GarbageCall, misfit
from walkaway.agent.hands import Hands
from walkaway.agent.policy import Refuse, while_pending
from walkaway.agent.tool import ToolError, ToolFailed, ToolRefused
from walkaway.agent.tools import ask, report, subagent
from walkaway.agent.transcript import Transcript
from walkaway.core.brief import Brief, Desk, SideTool, Watch
from walkaway.core.errors import AgentStuck, LimitReached
from walkaway.core.grant import Grant
from walkaway.redact import redact

REMINDER = f"You called no tool. Go on with the work, or hand in your report by calling the tool `{report.NAME}`."
CUT = "Your reply reached the output limit and this call was cut off. Make it again in smaller parts."

STEER = "A person who watches this work says to you:\n\n{text}"

MOST_REMINDERS = 3
MOST_REFUSED_REPORTS = 5
MOST_GARBAGE = 10
REPEATS_TO_WARN = 4
REPEATS_TO_STOP = 8


class StuckGuard:
    """Counts how often one call was repeated without another between."""

    def __init__(self) -> None:
        """Start without a call."""
        self._last = ""
        self._times = 0

    def seen(self, name: str, arguments: str) -> str:
        """Note a call; return "" or a warning for the model, and raise `AgentStuck` at the eighth in a row."""
        key = f"{name} {arguments}"
        self._times = self._times + 1 if key == self._last else 1
        self._last = key
        if self._times >= REPEATS_TO_STOP:
            message = f"The agent made the same call {self._times} times in a row: {redact(key)[:200]}"
            raise AgentStuck(message)
        if self._times == REPEATS_TO_WARN:
            return f"You made this same call {REPEATS_TO_WARN} times in a row. It will not change: do something else."
        return ""

    def forget(self) -> None:
        """Count anew: what was refused is to be repeated."""
        self._last, self._times = "", 0


class AskAgain(ToolError):
    """A gate was not answered by what was said: the same question is to be asked again."""


@dataclass(slots=True)
class Strikes:
    """What went wrong in a row, and how much of it is too much."""

    reminders: int = 0
    refused: int = 0
    garbage: int = 0

    def remind(self) -> None:
        """Count a reply without a call."""
        self.reminders += 1
        if self.reminders > MOST_REMINDERS:
            message = f"The agent was reminded {MOST_REMINDERS} times in a row to work or to report, and did neither."
            raise LimitReached(message)

    def refuse(self, why: str) -> None:
        """Count a refused report."""
        self.refused += 1
        if self.refused > MOST_REFUSED_REPORTS:
            message = f"The agent's report was refused {self.refused} times, the last time because: {why}"
            raise LimitReached(message)

    def trash(self, why: str) -> None:
        """Count a call that no tool could be asked."""
        self.garbage += 1
        if self.garbage > MOST_GARBAGE:
            message = f"The agent made {self.garbage} calls in a row that cannot be understood, the last: {why}"
            raise LimitReached(message)


def defined(bench: Bench) -> list[ToolDefinition]:
    """Return the tools of a bench, as the model library wants them."""
    return [
        ToolDefinition(name=tool.name, description=tool.description, parameters_json_schema=tool.schema())
        for tool in bench.tools.values()
    ]


def beside(grant: Grant) -> tuple[str, ...]:
    """Return the calls that no tool of the bench answers, under every grant or this one."""
    return (*((subagent.NAME,) if grant.subagents else ()), ask.NAME, report.NAME)


def definitions(bench: Bench, desk: Desk, grant: Grant) -> list[ToolDefinition]:
    """Return the offered tools, those beside them and the report, as the model library wants them."""
    tools = defined(bench)
    tools += [
        ToolDefinition(name=side.name, description=side.description, parameters_json_schema=json.loads(side.schema))
        for side in desk.tools
    ]
    schema = json.loads(desk.schema)
    asking = ToolDefinition(name=ask.NAME, description=ask.DESCRIPTION, parameters_json_schema=ask.schema())
    closing = ToolDefinition(name=report.NAME, description=report.DESCRIPTION, parameters_json_schema=schema)
    sending = ToolDefinition(
        name=subagent.NAME, description=subagent.DESCRIPTION, parameters_json_schema=subagent.schema()
    )
    return [*tools, *([sending] if grant.subagents else []), asking, closing]


Send = Callable[[subagent.Errand], Awaitable[str]]
"""How a sub-agent is sent; raises `ToolError` where it came to nothing."""


class Conversation:
    """One brief, worked on by one model until its report is accepted."""

    def __init__(
        self,
        brief: Brief,
        asker: Asker,
        bench: Bench,
        desk: Desk,
        watch: Watch,
        transcript: Transcript,
        hands: Hands,
        send: Send,
    ) -> None:
        """Open with the brief: its system text as instructions, its prompt as the first user message."""
        self._send = send if brief.grant.subagents else None
        self._asker = asker
        self._bench = bench
        self._desk = desk
        self._watch = watch
        self._transcript = transcript
        self._hands = hands
        self._stuck = StuckGuard()
        self._strikes = Strikes()
        self._instructions = brief.system
        self._messages: list[ModelMessage] = [self._request([UserPromptPart(brief.prompt)])]

    async def run(self) -> str:
        """Return the accepted report as JSON text."""
        while True:
            self._steer()
            reply = await self._asker.ask(self._messages)
            calls = [part for part in reply.parts if isinstance(part, ToolCallPart)]
            answers, accepted = await self._answer(calls, cut=reply.finish_reason == "length")
            if accepted is not None:
                return accepted
            self._messages += [reply, self._request(answers)]

    def _steer(self) -> None:
        """Add what people said meanwhile to what the model is asked next."""
        for text in self._watch.heard():
            self._transcript.write("steer", text=text)
            self._watch.saw("text", f"told: {first_line(text)}")
            told = UserPromptPart(STEER.format(text=text))
            last = self._messages[-1]
            self._messages[-1] = self._request([*last.parts, told]) if isinstance(last, ModelRequest) else last

    async def _answer(
        self, calls: Sequence[ToolCallPart], *, cut: bool
    ) -> tuple[Sequence[ToolReturnPart | UserPromptPart], str | None]:
        """Do all calls, sub-agents first and reports last; return the answers in their order, or an accepted report."""
        if not calls:
            self._strikes.remind()
            self._transcript.write("reminder", text=REMINDER)
            return [UserPromptPart(REMINDER)], None
        self._strikes.reminders = 0
        answers = await self._send_all(calls, cut=cut)
        others = [index for index in range(len(calls)) if index not in answers]
        for index in sorted(others, key=lambda index: calls[index].tool_name == report.NAME):
            call = calls[index]
            await self._hands.watch(self._watch.gate)
            arguments = arguments_of(call)
            held = while_pending(await self._hands.watch(self._watch.pending), call.tool_name)
            if isinstance(held, Refuse):
                answers[index] = await self._do(call, arguments, cut=cut, held=held.why)
            elif call.tool_name == report.NAME and arguments is not None:
                refusal = await self._submit(call, arguments)
                if not refusal:
                    return [], arguments
                answers[index] = answer_to(call, refusal, failed=True)
            else:
                answers[index] = await self._do(call, arguments, cut=cut)
        return [answers[index] for index in range(len(calls))], None

    async def _send_all(self, calls: Sequence[ToolCallPart], *, cut: bool) -> dict[int, ToolReturnPart]:
        """Let the sub-agents among the calls work at the same time; what has to end one of them ends them all."""
        sent = [index for index, call in enumerate(calls) if self._send and call.tool_name == subagent.NAME]
        if not sent:
            return {}
        await self._hands.watch(self._watch.gate)
        held = while_pending(await self._hands.watch(self._watch.pending), subagent.NAME)
        why = held.why if isinstance(held, Refuse) else ""
        try:
            async with asyncio.TaskGroup() as group:
                working = {
                    index: group.create_task(self._do(calls[index], arguments_of(calls[index]), cut=cut, held=why))
                    for index in sent
                }
        except BaseExceptionGroup as ended:
            raise ended.exceptions[0] from ended
        return {index: task.result() for index, task in working.items()}

    async def _submit(self, call: ToolCallPart, arguments: str) -> str:
        """Hand the report in; return why it was refused, "" where it was accepted."""
        refusal = await self._hands.watch(lambda: self._desk.submit(arguments))
        self._transcript.write("report", id=call.tool_call_id, accepted=not refusal, text=refusal)
        self._watch.saw("tool", f"report {'refused: ' + first_line(refusal) if refusal else 'accepted'}")
        if refusal:
            self._strikes.refuse(refusal)
            return f"The report was refused: {refusal}"
        return ""

    async def _do(self, call: ToolCallPart, arguments: str | None, *, cut: bool, held: str = "") -> ToolReturnPart:
        """Carry out one call, unless it is ``held``; whatever is wrong with it is told to the model."""
        name = call.tool_name
        warning = self._stuck.seen(name, arguments if arguments is not None else str(call.args))
        self._watch.saw("tool", first_line(f"{name} {_subject(arguments)}"))
        try:
            if arguments is None:
                raise GarbageCall(CUT if cut else f"The arguments of '{name}' are no JSON object.")  # noqa: TRY301
            text = await self._called(name, arguments, held)
            self._strikes.garbage = 0
            failed = False
        except GarbageCall as error:
            self._strikes.trash(str(error))
            text, failed = str(error), True
        except ToolError as error:
            text, failed = failure_of(error), True
        text = f"{text}\n\n{warning}" if warning else text
        self._transcript.write("result", id=call.tool_call_id, tool=name, failed=failed, text=text)
        return answer_to(call, text, failed=failed)

    async def _called(self, name: str, arguments: str, held: str) -> str:
        """Return what a call came to; raise `ToolError` where it did nothing, `Unanswered` where it has to wait."""
        if held:
            raise AskAgain(held)
        if name == ask.NAME:
            return await self._ask(arguments)
        if self._send and name == subagent.NAME:
            return await self._sent(self._send, arguments)
        if side := next((each for each in self._desk.tools if each.name == name), None):
            return await self._save(side, arguments)
        return await self._hands.work(lambda: self._bench.run(name, arguments))

    async def _ask(self, arguments: str) -> str:
        """Put a question to a person and return the answer, where there is one at once."""
        try:
            asked = ask.parsed(arguments)
        except ValidationError as error:
            raise GarbageCall(misfit(ask.NAME, ask.schema(), error)) from error
        told = await self._hands.watch(lambda: self._watch.asks(asked))
        if not told.refused:
            return told.text
        if asked.gate and asked.gate == await self._hands.watch(self._watch.pending):
            self._stuck.forget()
            raise AskAgain(told.text)
        raise ToolRefused(told.text)

    async def _sent(self, send: Send, arguments: str) -> str:
        """Send a sub-agent and return what it says."""
        try:
            errand = subagent.parsed(arguments)
        except ValidationError as error:
            raise GarbageCall(misfit(subagent.NAME, subagent.schema(), error)) from error
        return await send(errand)

    async def _save(self, side: SideTool, arguments: str) -> str:
        """Save or look up what is beside the work; what looks like a secret is not even handed on."""
        if self._bench.secretive(arguments):
            raise ToolRefused("That looks as if it holds a secret, which others would be told; say it without.")
        told = await self._hands.watch(lambda: side.call(arguments))
        if told.refused:
            raise ToolRefused(told.text)
        return told.text

    def _request(self, parts: Sequence[ModelRequestPart]) -> ModelRequest:
        return ModelRequest(parts=list(parts), instructions=self._instructions)


def answer_to(call: ToolCallPart, text: str, *, failed: bool) -> ToolReturnPart:
    """Return what a call came to, as the model is told it."""
    return ToolReturnPart(
        tool_name=call.tool_name,
        content=text,
        tool_call_id=call.tool_call_id,
        outcome="failed" if failed else "success",
    )


def failure_of(error: ToolError) -> str:
    """Return why a call did nothing, and what to do about it, for the model."""
    return f"{error} {_advice(error)}".rstrip()


def _advice(error: ToolError) -> str:
    if isinstance(error, AskAgain):
        return ""
    return "Do not repeat this call." if isinstance(error, ToolFailed) else "Try it differently."


def arguments_of(call: ToolCallPart) -> str | None:
    """Return the arguments as JSON text; None where they are no JSON object."""
    try:
        return json.dumps(call.args_as_dict(raise_if_invalid=True), ensure_ascii=False)
    except (ValueError, AssertionError):
        return None


def _subject(arguments: str | None) -> str:
    """Return what a call is about, for the progress display."""
    given = json.loads(arguments or "{}")
    return str(next((given[key] for key in ("command", "path", "pattern", "about") if key in given), ""))
