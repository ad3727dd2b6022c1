"""Answers gRPC calls whose message has come, and keeps account of their memory."""

from collections.abc import Callable

import grpc

from serving.model_server.grpc_threads import CODES, MAX_TEXT, Received
from serving.model_server.request_share import Share
from serving.protocol.status import StatusError

Handle = Callable[[bytes, Share, grpc.ServicerContext], bytes]


def method_handler(handle: Handle) -> grpc.RpcMethodHandler:
    """Makes the handler of a unary method; a StatusError of `handle` is the status of the call."""

    def answer(received: Received, context: grpc.ServicerContext) -> bytes:
        share = received.share
        try:
            reply = handle(received.message.pop(), share, context)
            share.keep(len(reply))
            return reply
        except StatusError as error:
            context.abort(CODES[error.code], error.message[:MAX_TEXT])
            raise  # not reached: abort() raises
        finally:
            # The share lasts until the client has the answer.
            share.start_wait("take the answer", lambda _: context.cancel())
            if not context.add_callback(share.release):
                share.release()

    return grpc.unary_unary_rpc_method_handler(answer)
