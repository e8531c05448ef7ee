"""Two threads beside the event loop: one for what the engine has to say, one for the tools."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


class Threads:
    """The two threads, kept for all conversations, so that what lives per thread (a connection) is made once."""

    def __init__(self) -> None:
        """Make them when they are first needed."""
        self.watch = ThreadPoolExecutor(1, "walkaway-watch")
        self.work = ThreadPoolExecutor(1, "walkaway-work")

    def close(self) -> None:
        """Let them end after what they are doing."""
        self.watch.shutdown(wait=False, cancel_futures=True)
        self.work.shutdown(wait=False, cancel_futures=True)


class Hands:
    """The threads, as one conversation uses them; ``stop`` is set when its tools have to end."""

    def __init__(self, threads: Threads, stop: threading.Event) -> None:
        """Use ``threads`` until ``stop``."""
        self._threads = threads
        self.stop = stop

    async def watch(self, function: Callable[[], T]) -> T:
        """Call the engine. Cancelled meanwhile, go at once: it may be waiting for a lease."""
        return await asyncio.get_running_loop().run_in_executor(self._threads.watch, function)

    async def work(self, function: Callable[[], T]) -> T:
        """Let a tool work. Cancelled meanwhile, tell it to stop and wait until it has: nothing may go on behind us."""
        future = asyncio.get_running_loop().run_in_executor(self._threads.work, function)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            self.stop.set()
            while not future.done():
                with suppress(asyncio.CancelledError):  # the second of two: the first is on its way
                    await asyncio.wait([future])
            if not future.cancelled():
                future.exception()  # seen: it was told to stop
            raise
