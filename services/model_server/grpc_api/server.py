"""The gRPC server: a thread pool, the services, a port and a UNIX socket."""

from __future__ import annotations

from concurrent import futures

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import HealthServicer

from services.model_server.grpc_api import open_inference_proto
from services.model_server.grpc_api.handlers import add_service
from services.model_server.grpc_api.health import follow_models
from services.model_server.grpc_api.inference_service import InferenceService
from services.model_server.grpc_api.model_service import ModelService
from services.model_server.grpc_api.options import ChannelArguments, GrpcOptions
from services.model_server.grpc_api.prediction_service import PredictionService
from services.model_server.grpc_api.profiler_service import add_profiler_service
from services.model_server.grpc_api.reflection import add_reflection
from services.model_server.inference.inference import Inference
from services.model_server.models.server_core import ServerCore
from services.model_server.ports import PortTakenError
from services.serving_api.protos import model_service_pb2_grpc, prediction_service_pb2_grpc

_CHANNEL_ARGUMENTS: ChannelArguments = {
    "grpc.max_send_message_length": -1,
    "grpc.max_receive_message_length": -1,
    # Otherwise two servers could share the port, each with half of the requests.
    "grpc.so_reuseport": 0,
}


class GrpcServer:
    """TensorFlow Serving's gRPC services, and the Open Inference Protocol's."""

    def __init__(
        self,
        core: ServerCore,
        inference: Inference,
        options: GrpcOptions,
        grace_seconds: float,
    ) -> None:
        """Take the port and the socket; nothing answers before `start`.

        Args:
            core: whose models to report and to reload.
            inference: what answers requests.
            options: where and how to listen.
            grace_seconds: how long requests in flight may take after `stop`.

        Raises:
            PortTakenError: something else listens there, or it is not allowed.
        """
        self._grace_seconds = grace_seconds
        self._health = HealthServicer()
        arguments = _CHANNEL_ARGUMENTS | options.channel_arguments
        self._server = grpc.server(
            futures.ThreadPoolExecutor(options.max_threads, thread_name_prefix="grpc"),
            options=list(arguments.items()),
        )
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionService(inference), self._server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            ModelService(core, inference.metrics), self._server
        )
        add_service(self._server, open_inference_proto.SERVICE, InferenceService(core, inference))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if options.enable_profiler:
            add_profiler_service(self._server)
        add_reflection(self._server)
        self._listen(options)
        follow_models(self._health, core.manager)

    def start(self) -> None:
        """Accept requests."""
        self._server.start()

    def stop(self) -> None:
        """Say NOT_SERVING, accept nothing new, and wait for the requests in flight."""
        self._health.enter_graceful_shutdown()
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
