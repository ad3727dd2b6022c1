"""Listens for REST: an event loop in a thread of its own."""

import asyncio
import threading
from concurrent.futures import Executor

from aiohttp import web

from serving.errors import UserError
from serving.model_server.core import ServerCore
from serving.model_server.options import ServerOptions
from serving.model_server.rest.app import make_app
from serving.model_server.rest.connections import Connections

_LINGER_SECONDS = 2.0  # to read what a refused client still sends, so that it sees the answer
_KEEPALIVE_SECONDS = 75.0  # of a connection without a request


class RestListener:
    """A running HTTP server; `port` is 0 if there is none."""

    def __init__(
        self,
        core: ServerCore,
        options: ServerOptions,
        executor: Executor,
        large_executor: Executor,
        metrics_path: str | None,
    ):
        self.port = 0
        if not options.rest_api_port:
            return
        self._options = options
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rest", daemon=True)
        self._thread.start()
        app = make_app(
            core,
            executor,
            large_executor,
            timeout_seconds=options.rest_api_timeout_in_ms / 1000,
            metrics_path=metrics_path,
            enable_cors=options.rest_api_enable_cors_support,
            ui=options.ui,
        )
        self._runner = web.AppRunner(
            app,
            access_log=None,
            shutdown_timeout=options.shutdown_grace_seconds,
            lingering_time=_LINGER_SECONDS,
            keepalive_timeout=_KEEPALIVE_SECONDS,
            auto_decompress=False,  # aiohttp's has no size limit, and answers bad gzip with a 500
        )
        try:
            self.port = self._await(self._start(options.host, max(options.rest_api_port, 0)))
        except OSError as error:
            raise UserError(
                f"`--rest-api-port` must be a free port; {options.rest_api_port}: {error}."
            ) from error

    async def _start(self, host: str, port: int) -> int:
        await self._runner.setup()
        make_protocol = self._runner.server
        assert make_protocol is not None  # after setup()
        connections = Connections(
            make_protocol,
            max_connections=self._options.max_rest_connections,
            header_timeout=self._options.client_timeout_seconds,
        )
        self._server = await self._loop.create_server(connections, host, port, backlog=1024)
        return self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        await self._runner.cleanup()
        # Connections that were still being read after a refusal.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _await(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def stop(self) -> None:
        """Refuses new connections and waits for the requests in flight."""
        if not self.port:
            return
        self._await(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
