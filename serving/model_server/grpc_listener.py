"""Listens for gRPC: port, unix socket, TLS, limits, health."""

import threading

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from serving.errors import UserError
from serving.model_server.core import ServerCore
from serving.model_server.grpc_services import service_handlers
from serving.model_server.grpc_threads import CallThreads
from serving.model_server.options import ServerOptions, parse_channel_arguments, read_ssl_config

# The services of a health check; the empty name is the server as a whole.
_HEALTH_SERVICES = ("", "ModelService", "PredictionService")


class GrpcListener:
    """A running gRPC server; `port` is 0 if it listens on a socket only or not at all."""

    def __init__(self, core: ServerCore, options: ServerOptions):
        self._grace = options.shutdown_grace_seconds
        arguments = {
            "grpc.max_receive_message_length": options.max_message_bytes,
            "grpc.max_send_message_length": -1,
            "grpc.max_concurrent_streams": 128,  # of a connection; a client waits with the next
            "grpc.server_handshake_timeout_ms": int(1000 * options.client_timeout_seconds),
            "grpc.so_reuseport": 0,  # otherwise two servers may share a port silently
            **dict(parse_channel_arguments(options.grpc_channel_arguments)),
        }
        threads = CallThreads(options.grpc_max_threads, core.memory)
        self._server = grpc.server(threads, options=list(arguments.items()))
        self._server.add_generic_rpc_handlers(tuple(service_handlers(core)))
        self._health = health.HealthServicer()
        if options.enable_grpc_healthcheck_service:
            health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self.report_health(serving=core.manager.is_ready())
        self.port = self._bind(options)
        self._server.start()

    def _bind(self, options: ServerOptions) -> int:
        credentials = _credentials(options.ssl_config_file)
        try:
            if options.grpc_socket_path:
                self._server.add_insecure_port(f"unix:{options.grpc_socket_path}")
            if not options.port:
                return 0
            address = f"{options.host}:{max(options.port, 0)}"
            if credentials is None:
                return self._server.add_insecure_port(address)
            return self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            rule = "`--port` must be a free port and `--grpc-socket-path` a new socket"
            raise UserError(f"{rule}; {str(error).rstrip('.')}.") from error

    def report_health(self, *, serving: bool) -> None:
        """Sets the state that health checks report."""
        states = health_pb2.HealthCheckResponse
        for service in _HEALTH_SERVICES:
            self._health.set(service, states.SERVING if serving else states.NOT_SERVING)

    def refuse(self) -> threading.Event:
        """Refuses new calls from now on; the event is set when those in flight have ended."""
        self.report_health(serving=False)
        return self._server.stop(self._grace)

    def stop(self) -> None:
        """Refuses new calls and waits for those in flight."""
        self.refuse().wait()


def _credentials(path: str) -> grpc.ServerCredentials | None:
    if not path:
        return None
    config = read_ssl_config(path)
    return grpc.ssl_server_credentials(
        [(config.server_key.encode(), config.server_cert.encode())],
        root_certificates=config.custom_ca.encode() or None,
        require_client_auth=config.client_verify,
    )
