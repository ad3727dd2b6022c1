"""The client for asyncio: many requests under way, a bounded number at once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from serving.client.adapted import AdaptedModel, chunks
from serving.client.answer import Answer
from serving.client.client import FewShotClient
from serving.client.episode import Example, Support
from serving.client.transport import Reply


class AsyncFewShotClient:
    """Awaitable calls of a FewShotClient.

    Each runs in a thread of a small pool: packing an episode costs more than a thread's switch,
    and so every transport is covered. A cancelled call is dropped, not recalled from the server.

    Args:
      client: over any transport.
      in_flight: requests at once.
    """

    def __init__(self, client: FewShotClient, *, in_flight: int = 4):
        self._client = client
        self._in_flight = in_flight
        self._pool = ThreadPoolExecutor(in_flight, "client")

    async def run(self, signature_name: str, inputs: Mapping[str, Any]) -> Reply:
        """As FewShotClient.run."""
        return await self._call(self._client.run, signature_name, inputs)

    async def classify(self, support: Support, queries: Sequence[Example]) -> Answer:
        """As FewShotClient.classify."""
        return await self._call(self._client.classify, support, queries)

    async def regress(
        self, support_x: Sequence[Any], support_y: Sequence[Any], query_x: Sequence[Any]
    ) -> np.ndarray:
        """As FewShotClient.regress."""
        return await self._call(self._client.regress, support_x, support_y, query_x)

    async def adapt(self, support: Support) -> AdaptedModel:
        """As FewShotClient.adapt; pass the result to `predict` or `stream`."""
        return await self._call(self._client.adapt, support)

    async def predict(self, adapted: AdaptedModel, queries: Sequence[Example]) -> Answer:
        """As AdaptedModel.classify."""
        return await self._call(adapted.classify, queries)

    async def stream(
        self, adapted: AdaptedModel, queries: Iterable[Example], *, chunk: int = 32
    ) -> AsyncIterator[Answer]:
        """One answer a chunk, in order, with up to `in_flight` chunks under way."""
        waiting: deque[asyncio.Future] = deque()
        try:
            for part in chunks(queries, chunk):
                waiting.append(self._call(adapted.classify, part))
                if len(waiting) >= self._in_flight:
                    yield await waiting.popleft()
            while waiting:
                yield await waiting.popleft()
        finally:
            for call in waiting:
                call.cancel()

    def _call(self, function: Any, *arguments: Any) -> asyncio.Future:
        return asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

    async def close(self) -> None:
        """Waits for the requests under way, then closes the client."""
        await asyncio.to_thread(self._pool.shutdown)
        self._client.close()

    async def __aenter__(self) -> "AsyncFewShotClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
