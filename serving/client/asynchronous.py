"""The client for asyncio, with a limit on the requests sent at once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from serving.client.adapted import AdaptedModel, chunks
from serving.client.answer import Answer
from serving.client.client import FewShotClient
from serving.client.episode import Example, SupportSet
from serving.client.transport import Reply


class AsyncFewShotClient:
    """Awaitable calls of a FewShotClient, at most `in_flight` at once; `close` closes it.

    Each call runs in a thread of a small pool, so it works with every transport; packing an episode
    costs more than switching threads. Cancelling a call does not stop a request already sent.
    """

    def __init__(self, client: FewShotClient, *, in_flight: int = 4):
        self._client = client
        self._in_flight = in_flight
        self._pool = ThreadPoolExecutor(in_flight, "client")

    async def run(self, signature_name: str, inputs: Mapping[str, Any]) -> Reply:
        """Awaits FewShotClient.run."""
        return await self._call(self._client.run, signature_name, inputs)

    async def classify(self, support: SupportSet, queries: Sequence[Example]) -> Answer:
        """Awaits FewShotClient.classify."""
        return await self._call(self._client.classify, support, queries)

    async def regress(
        self, support_x: Sequence[Any], support_y: Sequence[Any], query_x: Sequence[Any]
    ) -> np.ndarray:
        """Awaits FewShotClient.regress."""
        return await self._call(self._client.regress, support_x, support_y, query_x)

    async def adapt(self, support: SupportSet, *, on_server: bool = False) -> AdaptedModel:
        """Awaits FewShotClient.adapt; pass the result to `predict` or `stream`."""
        return await self._call(partial(self._client.adapt, on_server=on_server), support)

    async def predict(self, adapted: AdaptedModel, queries: Sequence[Example]) -> Answer:
        """Awaits AdaptedModel.classify."""
        return await self._call(adapted.classify, queries)

    async def stream(
        self, adapted: AdaptedModel, queries: Iterable[Example], *, chunk: int = 32
    ) -> AsyncIterator[Answer]:
        """Yields one answer per chunk, in order, with up to `in_flight` requests at once."""
        calls: deque[asyncio.Future] = deque()
        try:
            for part in chunks(queries, chunk):
                calls.append(self._call(adapted.classify, part))
                if len(calls) >= self._in_flight:
                    yield await calls.popleft()
            while calls:
                yield await calls.popleft()
        finally:
            for call in calls:
                call.cancel()

    def _call(self, function: Any, *arguments: Any) -> asyncio.Future:
        return asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

    async def close(self) -> None:
        """Waits for the requests in flight, then closes the client."""
        await asyncio.to_thread(self._pool.shutdown)
        self._client.close()

    async def __aenter__(self) -> "AsyncFewShotClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
