"""The gRPC server: the services, a port and a UNIX socket."""

from __future__ import annotations

import time

from grpc_health.v1 import health_pb2_grpc

from services.model_server.grpc_api import open_inference_proto
from services.model_server.grpc_api.handlers import MODEL_SERVICE, PREDICTION_SERVICE, add_service
from services.model_server.grpc_api.health import Health
from services.model_server.grpc_api.inference_service import InferenceService
from services.model_server.grpc_api.model_service import ModelService
from services.model_server.grpc_api.options import GrpcOptions
from services.model_server.grpc_api.prediction_service import PredictionService
from services.model_server.grpc_api.profiler_service import add_profiler_service
from services.model_server.grpc_api.reflection import add_reflection
from services.model_server.grpc_api.streams import StreamLimit
from services.model_server.grpc_api.transport import make_server
from services.model_server.inference.data_plane import DataPlane
from services.model_server.models.server_core import ServerCore
from services.model_server.ports import PortTakenError

LINGER_SECONDS = 1.0
"""The time in which requests that are on their way at SIGTERM are answered; later ones get
UNAVAILABLE."""

_REFUSAL_SECONDS = 0.5
"""The time in which clients learn that; gRPC drops requests that come after it without a status."""

_MAX_REFLECTIONS = 4


class GrpcServer:
    """TensorFlow Serving's gRPC services, and the Open Inference Protocol's."""

    def __init__(
        self,
        core: ServerCore,
        data_plane: DataPlane,
        options: GrpcOptions,
        grace_seconds: float,
    ) -> None:
        """Takes the port and the socket; no request is answered before `start`.

        Args:
            core: reports and reloads the models.
            data_plane: answers requests for inference.
            options: where and how to listen.
            grace_seconds: the time that requests in flight have after `stop`.

        Raises:
            PortTakenError: another process listens there, or it is not allowed.
            ConfigError: see `make_server`.
        """
        self._grace_seconds = grace_seconds
        self._data_plane = data_plane
        self._health = Health(core.manager)
        self._reflections = StreamLimit("reflection", _MAX_REFLECTIONS)
        self._server = make_server(options)
        add_service(self._server, PREDICTION_SERVICE, PredictionService(data_plane))
        add_service(self._server, MODEL_SERVICE, ModelService(core, data_plane.metrics))
        add_service(self._server, open_inference_proto.SERVICE, InferenceService(core, data_plane))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if options.enable_profiler:
            add_profiler_service(self._server)
        add_reflection(self._server, self._reflections)
        self._listen(options)

    def start(self) -> None:
        """Accepts requests."""
        self._server.start()

    def stop(self) -> None:
        """Says NOT_SERVING, answers the requests that are on their way, then ends the others."""
        self._health.stop()
        time.sleep(LINGER_SECONDS)
        self._data_plane.close()
        time.sleep(_REFUSAL_SECONDS)
        self._reflections.end_all()
        self._server.stop(self._grace_seconds).wait()

    def _listen(self, options: GrpcOptions) -> None:
        place = ""
        try:
            if options.port:
                place = f"port {options.port}"
                address = f"[::]:{options.port}"
                if options.credentials:
                    self._server.add_secure_port(address, options.credentials)
                else:
                    self._server.add_insecure_port(address)
            if options.socket_path:
                place = f"socket {options.socket_path}"
                self._server.add_insecure_port(f"unix:{options.socket_path}")
        except RuntimeError:
            hint = "is it taken?"
            if options.credentials:
                hint = "is it taken, or is something in the --ssl_config_file no PEM text?"
            raise PortTakenError(f"gRPC cannot listen on {place}: {hint}") from None
