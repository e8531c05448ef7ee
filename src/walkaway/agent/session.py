"""Puts one conversation together from its parts, and bounds its time."""

import asyncio
import json
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from pydantic_ai.models import ModelRequestParameters

from walkaway.agent.ask import Asker
from walkaway.agent.bench import Bench
from walkaway.agent.conversation import Conversation, definitions
from walkaway.agent.hands import Hands, Threads
from walkaway.agent.model import OpenModel
from walkaway.agent.tool import Site, real
from walkaway.agent.transcript import Redact, Transcript
from walkaway.core.brief import Brief, Desk, Outcome, Watch
from walkaway.core.errors import Cancelled, LimitReached


async def converse(
    model: OpenModel,
    brief: Brief,
    cwd: str,
    desk: Desk,
    watch: Watch,
    transcript: str,
    *,
    threads: Threads,
    stop: threading.Event,
    redact: Redact,
    now: Callable[[], float],
    guard: Callable[[str], AbstractContextManager[None]],
    first_wait_s: float,
) -> Outcome:
    """Work on the brief to its accepted report; `Cancelled` once the task is cancelled."""
    watch = replace(watch, saw=lambda kind, text, saw=watch.saw: saw(kind, redact(text)))
    with Transcript(transcript, redact, now) as log, _site(cwd, transcript, stop, guard) as site:
        bench, hands = Bench(brief.grant, site, redact), Hands(threads, stop)
        tools = definitions(bench, desk)
        schemas = [
            {"name": t.name, "description": t.description, "parameters": t.parameters_json_schema} for t in tools
        ]
        asker = Asker(
            model,
            ModelRequestParameters(function_tools=tools, output_mode="text", allow_text_output=True),
            overhead_bytes=len(brief.system.encode()) + len(json.dumps(schemas).encode()),
            limits=brief.limits,
            watch=watch,
            transcript=log,
            hands=hands,
            first_wait_s=first_wait_s,
        )
        log.write(
            "start", unit=brief.unit, attempt=brief.attempt, model=model.name, grant=brief.grant.name, tools=schemas
        )
        log.write("system", text=brief.system)
        log.write("prompt", text=brief.prompt)
        talk = Conversation(brief, asker, bench, desk, watch, log, hands)
        report = await _in_time(talk, brief.limits.total_s)
        return Outcome(report=report, transcript=transcript, requests=asker.meter.requests)


@contextmanager
def _site(
    cwd: str, transcript: str, stop: threading.Event, guard: Callable[[str], AbstractContextManager[None]]
) -> Generator[Site, None, None]:
    """Give the tools their places: a scratch HOME that goes with the conversation, outputs that stay beside it."""
    with tempfile.TemporaryDirectory(prefix="walkaway-", ignore_cleanup_errors=True) as scratch:
        outputs = real(transcript).with_suffix(".outputs")
        yield Site(cwd=real(cwd), scratch=real(scratch), outputs=outputs, cancel=stop, guard=guard)


async def _in_time(talk: Conversation, total_s: float) -> str:
    """Run the conversation; `LimitReached` when its time is over, `Cancelled` when its task is cancelled."""
    try:
        async with asyncio.timeout(total_s):
            return await talk.run()
    except TimeoutError as error:
        message = f"The agent worked for {total_s:.0f} s without an accepted report."
        raise LimitReached(message) from error
    except asyncio.CancelledError as error:
        message = "The conversation was cancelled."
        raise Cancelled(message) from error
