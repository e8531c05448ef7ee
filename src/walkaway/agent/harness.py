"""The `Agent` of the engine: a thread with an event loop, kept for all conversations of a worker.

Importing this module imports no model library. That happens in the harness's own thread, on `Harness.warm` or at the
first conversation, so that it overlaps with whatever else a worker does when it starts.
"""

import asyncio
import gc
import threading
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, TypeVar

from walkaway.agent.hands import Threads
from walkaway.agent.settings import ModelSettings
from walkaway.core.brief import Brief, Desk, Outcome, Watch
from walkaway.core.errors import Cancelled, WalkawayError
from walkaway.redact import REDACTED
from walkaway.redact import redact as _redact

if TYPE_CHECKING:
    from walkaway.agent.model import OpenModel

T = TypeVar("T")


def _unguarded(_cwd: str) -> AbstractContextManager[None]:
    return nullcontext()


def _also(redact: Callable[[str], str], secret: str) -> Callable[[str], str]:
    """Return ``redact``, knowing one secret more."""
    return lambda text: redact(text.replace(secret, REDACTED) if secret else text)


@contextmanager
def _uncollected() -> Generator[None, None, None]:
    """Import without the garbage collector, which would walk thousands of new modules in vain: a quarter faster."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Running:
    """One conversation, as seen by whoever may cancel it; lock-free, because signal handlers call it."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.task: asyncio.Task[Outcome] | None = None
        self.future: Future[Outcome] | None = None

    def cancel(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell the tools to stop, and the loop to cancel the task."""
        self.stop.set()
        loop.call_soon_threadsafe(self._cancel_task)

    def _cancel_task(self) -> None:
        if self.task is not None:
            self.task.cancel()


class Harness:
    """Implements `walkaway.engine.ports.Agent` for one model."""

    def __init__(
        self,
        settings: ModelSettings,
        *,
        now: Callable[[], float],
        redact: Callable[[str], str] = _redact,
        guard: Callable[[str], AbstractContextManager[None]] = _unguarded,
    ) -> None:
        """Remember which model to use; nothing is imported or connected yet.

        ``now`` gives the seconds since the epoch that events are written down with; ``redact`` takes secrets out of
        them. ``guard`` is entered, with the working directory, around each shell command; what it raises ends the
        conversation.
        """
        self._settings = settings
        self._now = now
        self._redact = redact if settings.api_key is None else _also(redact, settings.api_key)
        self._guard = guard
        self._threads = Threads()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="walkaway-agent", daemon=True)
        self._running: _Running | None = None
        self._model: OpenModel | None = None

    def warm(self) -> None:
        """Begin to import the model library and to open the model, in the background.

        What goes wrong is raised by `run`, which tries once more.
        """
        self._submit(self._opened())

    def run(self, brief: Brief, cwd: str, desk: Desk, watch: Watch, transcript: str) -> Outcome:
        """Let the model do the brief in ``cwd`` until the desk accepts its report; see `engine.ports.Agent`.

        Signal handlers of the calling thread run meanwhile. Where one of them raises, the conversation is cancelled
        and over before the exception leaves.
        """
        running = self._running = _Running()
        future = running.future = self._submit(self._serve(running, brief, cwd, desk, watch, transcript))
        try:
            return future.result()
        except WalkawayError as error:  # a provider may quote the key; what went wrong is recorded
            error.args = (self._redact(str(error)),)
            raise
        finally:
            if not future.done():
                running.cancel(self._loop)
                wait([future])
            self._running = None

    def cancel(self) -> None:
        """End the running conversation and every process it started; from any thread, harmless when idle."""
        running = self._running
        if running is not None and self._thread.is_alive():
            running.cancel(self._loop)

    def close(self) -> None:
        """End the conversation if there is one, and give back the threads, the loop and the connections."""
        running = self._running
        self.cancel()
        if running is not None and running.future is not None:
            wait([running.future])
        if self._thread.is_alive():
            self._submit(self._disconnect()).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()
        self._threads.close()

    async def _serve(
        self, running: _Running, brief: Brief, cwd: str, desk: Desk, watch: Watch, transcript: str
    ) -> Outcome:
        model = await self._opened()
        from walkaway.agent.session import converse  # noqa: PLC0415 - imports pydantic-ai, in this thread only

        running.task = asyncio.current_task()
        if running.stop.is_set():
            message = "The conversation was cancelled before it began."
            raise Cancelled(message)
        return await converse(
            model,
            brief,
            cwd,
            desk,
            watch,
            transcript,
            threads=self._threads,
            stop=running.stop,
            redact=self._redact,
            now=self._now,
            guard=self._guard,
            first_wait_s=self._settings.backoff_s,
        )

    async def _opened(self) -> "OpenModel":
        """Return the model, opened once and kept with its connections."""
        if self._model is None:
            with _uncollected():
                from walkaway.agent import session as _  # noqa: F401, PLC0415 - the rest of the imports
                from walkaway.agent.model import open_model  # noqa: PLC0415 - imports pydantic-ai

                self._model = open_model(self._settings)
            await self._model.model.__aenter__()
        return self._model

    async def _disconnect(self) -> None:
        if self._model is not None:
            await self._model.model.__aexit__(None, None, None)
            self._model = None

    def _submit(self, work: Coroutine[object, object, T]) -> Future[T]:
        if not self._thread.is_alive():
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop)
