"""Receives the messages of gRPC calls and keeps account of their memory.

A unary call is taken as a stream of one message. So the call is known before its message is there,
and one whose message never ends can be dropped.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import grpc
import grpc._server

from serving.model_server.request_memory import RequestMemory, Share
from serving.protocol.status import StatusError, invalid_argument

_CODES = {code.value[0]: code for code in grpc.StatusCode}
# A status travels in the trailers, which a client reads up to 8 KiB by default.
_MAX_TEXT = 4096
_READERS = 240  # threads beside those that handle requests, each waiting for one message

Handle = Callable[[bytes, Share, grpc.ServicerContext], bytes]


class CallThreads(ThreadPoolExecutor):
    """The threads of the gRPC server: `handling` requests at once, and more wait for messages."""

    def __init__(self, handling: int, memory: RequestMemory):
        most = handling + _READERS
        super().__init__(most, "grpc")
        self.slots = threading.BoundedSemaphore(handling)
        self._calls = 0
        self._lock = threading.Lock()
        memory.is_crowded = lambda: self._calls > most

    def submit(self, function: Callable, /, *args: Any, **kwargs: Any) -> Future:
        """Counts the calls that have a thread or wait for one."""
        with self._lock:
            self._calls += 1
        future = super().submit(function, *args, **kwargs)
        future.add_done_callback(self._count_down)
        return future

    def _count_down(self, _: Future) -> None:
        with self._lock:
            self._calls -= 1


def method_handler(
    handle: Handle, memory: RequestMemory, slots: threading.BoundedSemaphore
) -> grpc.RpcMethodHandler:
    """Makes the handler of a unary method; a StatusError of `handle` is the status of the call."""

    def answer(messages: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        share = Share(memory)
        try:
            share.open()
            # In a list, so that the message is freed once it is parsed.
            received = [_receive(messages, share, context)]
            with slots:
                reply = handle(received.pop(), share, context)
            share.keep(len(reply))
            return reply
        except StatusError as error:
            context.abort(_CODES[error.code], error.message[:_MAX_TEXT])
            raise  # not reached: abort() raises
        finally:
            # The share lasts until the client has the answer.
            share.start_wait("take the answer", lambda _: context.cancel())
            if not context.add_callback(share.release):
                share.release()

    return grpc.stream_unary_rpc_method_handler(answer)


def _receive(messages: Iterator[bytes], share: Share, context: grpc.ServicerContext) -> bytes:
    share.holds_thread = True
    with share.wait_for_client("send the body", lambda error: _end_call(context, error)):
        payload = next(messages, None)
    share.holds_thread = False
    if error := share.dropped:
        raise error
    if payload is None:
        raise invalid_argument("The call has no message")
    return payload


def _end_call(context: Any, error: StatusError) -> None:
    """Ends a call whose handler waits for the message, from another thread.

    gRPC's own `abort` does so in the handler only, and `cancel` cannot say why.
    """
    state, call = context._state, context._rpc_event.call
    with state.condition:
        code, text = _CODES[error.code].value[0], error.message[:_MAX_TEXT].encode()
        grpc._server._abort(state, call, code, text)
