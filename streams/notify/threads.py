"""Owns the running of what blocks: in a thread of its own for each channel, so that one that hangs takes nothing from
others, and does not keep the process from ending."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from streams.notify.retry import SendError

T = TypeVar("T")


class Threads:
    """The threads that send, at most one for each name."""

    def __init__(self) -> None:
        self._running: dict[str, threading.Thread] = {}

    async def run(self, name: str, work: Callable[[], T]) -> T:
        """Return what `work` returns. Raises what it raises, and SendError while an earlier one still hangs: each try
        would add a thread, for as long as the receiver hangs."""
        before = self._running.get(name)
        if before is not None and before.is_alive():
            raise SendError("the service still hangs with an earlier message")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def tell(result: T | None, error: Exception | None) -> None:
            if done.done():  # nobody waits any more
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)  # type: ignore[arg-type]  # what work returned

        def target() -> None:
            result: T | None = None
            failed: Exception | None = None
            try:
                result = work()
            except Exception as error:  # noqa: BLE001  # carried to who waits
                failed = error
            if not loop.is_closed():
                loop.call_soon_threadsafe(tell, result, failed)

        # A daemon: the pool of the event loop has few threads, and its end waits for all of them.
        self._running[name] = thread = threading.Thread(target=target, name=f"channel-{name}", daemon=True)
        thread.start()
        return await done
