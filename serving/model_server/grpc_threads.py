"""Gives a gRPC call a thread once its message is there.

gRPC's own server takes a thread for each call whose message is still on its way: a few hundred
clients that send half a message then leave none for others. So this asks for the message where gRPC
submits the call, and submits the call where the message has come. Until then the call can be
dropped.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import grpc
import grpc._server

from serving.model_server.large_requests import LARGE_BYTES
from serving.model_server.request_memory import RequestMemory
from serving.model_server.request_share import Share
from serving.protocol.status import StatusError, invalid_argument

CODES = {code.value[0]: code for code in grpc.StatusCode}
# A status travels in the trailers, which a client reads up to 8 KiB by default.
MAX_TEXT = 4096
_LARGE_AT_ONCE = 2  # threads of large messages, so that those of small ones stay free


class Received(NamedTuple):
    """The message of a call, as the handlers of `grpc_calls` take it.

    Attributes:
      message: the one serialized message; in a list, so that it is freed once it is parsed.
      share: the memory that it takes.
    """

    message: list[bytes]
    share: Share


class CallThreads(ThreadPoolExecutor):
    """The threads of the gRPC server: `handling` small requests at once, and a few large ones."""

    def __init__(self, handling: int, memory: RequestMemory):
        super().__init__(handling, "grpc")
        self._memory = memory
        self._large = ThreadPoolExecutor(_LARGE_AT_ONCE, "grpc-large")

    def submit(self, function: Callable, /, *args: Any, **kwargs: Any) -> Future:
        """Takes a call of gRPC's server, which looks at the Future only to count calls."""
        call = _Call(function, *args)
        with call.state.condition:  # which gRPC holds, too
            call.state.due.add(grpc._server._RECEIVE_MESSAGE_TOKEN)
            share = Share(self._memory)
            try:
                share.open()
            except StatusError as error:
                share.release()
                call.end(error)
            share.start_wait("send the body", call.end)
            call.event.call.start_server_batch(
                (grpc._server.cygrpc.ReceiveMessageOperation(0),), self._receiver(call, share)
            )
        counted: Future = Future()
        counted.set_result(None)
        return counted

    def _receiver(self, call: "_Call", share: Share) -> Callable:
        read = grpc._server._receive_message(call.state, call.event.call, call.deserializer)

        def receive(event: Any) -> Any:
            finished = read(event)
            share.end_wait()
            message, call.state.request = call.state.request, None
            if message is None or not grpc._server._is_rpc_state_active(call.state):
                share.release()
                if message is None:
                    call.end(share.dropped or invalid_argument("The call has no message"))
                return finished
            if call.deserializer is not None:  # a call of another service, as a health check
                share.release()
                super(CallThreads, self).submit(call.run, *call.with_argument(lambda: message))
                return finished
            try:
                share.add(len(message))
            except StatusError as error:
                share.release()
                call.end(error)
                return finished
            received = Received([message], share)
            pool = (
                self._large.submit
                if len(message) > LARGE_BYTES
                else super(CallThreads, self).submit
            )
            pool(call.run, *call.with_argument(lambda: received))
            return finished

        return receive

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the threads."""
        self._large.shutdown(wait, cancel_futures=cancel_futures)
        super().shutdown(wait, cancel_futures=cancel_futures)


class _Call(NamedTuple):
    """A call as gRPC's server submits it: `run(handle, event, state, behavior, argument, ...)`."""

    run: Callable
    handle: Callable
    event: Any
    state: Any
    behavior: Callable
    argument: Callable[[], Any]
    deserializer: Callable | None
    serializer: Callable | None

    def with_argument(self, argument: Callable[[], Any]) -> tuple:
        """The arguments of `run`, with another function that gives the request."""
        return self._replace(argument=argument)[1:]

    def end(self, error: StatusError) -> None:
        """Ends a call that has no handler yet, from any thread; later this does nothing.

        gRPC's own `abort` does so in the handler only, and `cancel` cannot say why.
        """
        code, text = CODES[error.code].value[0], error.message[:MAX_TEXT].encode()
        with self.state.condition:
            if grpc._server._is_rpc_state_active(self.state):
                grpc._server._abort(self.state, self.event.call, code, text)
