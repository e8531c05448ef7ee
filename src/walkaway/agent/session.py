"""Puts one conversation together from its parts, and bounds its time."""

import asyncio
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from walkaway.agent.ask import asking
from walkaway.agent.bench import Bench
from walkaway.agent.conversation import Conversation, beside, definitions
from walkaway.agent.hands import Hands, Threads
from walkaway.agent.model import OpenModel
from walkaway.agent.subagents import Subagents
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
        bench, hands = Bench(brief.grant, site, redact, beside=beside(brief.grant)), Hands(threads, stop)
        asker = asking(
            model,
            brief,
            definitions(bench, desk, brief.grant),
            watch=watch,
            transcript=log,
            hands=hands,
            first_wait_s=first_wait_s,
        )
        subagents = Subagents(
            brief=brief,
            model=model,
            meter=asker.meter,
            site=site,
            threads=threads,
            watch=watch,
            transcript=transcript,
            redact=redact,
            now=now,
            first_wait_s=first_wait_s,
        )
        talk = Conversation(brief, asker, bench, desk, watch, log, hands, subagents.send)
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
