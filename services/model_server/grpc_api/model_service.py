"""TensorFlow Serving's ModelService (tensorflow_serving/apis/model_service.proto)."""

from __future__ import annotations

import grpc

from services.model_server.config.model_config import ConfigError, check_models
from services.model_server.errors import invalid_argument
from services.model_server.grpc_api.errors import answers_errors, time_remaining
from services.model_server.inference.metrics import Metrics
from services.model_server.models.describe import describe_status
from services.model_server.models.server_core import ServerCore
from services.serving_api.protos import (
    error_codes_pb2,
    get_model_status_pb2,
    model_management_pb2,
)


class ModelService:
    """GetModelStatus and HandleReloadConfigRequest."""

    def __init__(self, core: ServerCore, metrics: Metrics) -> None:
        self._core = core
        self._metrics = metrics

    @answers_errors
    def GetModelStatus(  # noqa: N802 (the protocol's name)
        self,
        request: get_model_status_pb2.GetModelStatusRequest,
        context: grpc.ServicerContext,
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """Returns the states of a model's versions; like TensorFlow Serving, it ignores labels."""
        if not request.HasField("model_spec"):
            raise invalid_argument("Missing ModelSpec")
        return describe_status(self._core.manager, request.model_spec)

    @answers_errors
    def HandleReloadConfigRequest(  # noqa: N802
        self,
        request: model_management_pb2.ReloadConfigRequest,
        context: grpc.ServicerContext,
    ) -> model_management_pb2.ReloadConfigResponse:
        """Replaces the set of models, and answers when the new ones are available.

        The answer says by how much each of the counters that the request names has grown.
        """
        if request.config.WhichOneof("config") != "model_config_list":
            raise invalid_argument(
                "ServerModelConfig type not supported by HandleReloadConfigRequest. "
                "Only ModelConfigList is currently supported"
            )
        models = list(request.config.model_config_list.config)
        try:
            check_models(models, "the request")
        except ConfigError as error:
            raise invalid_argument(str(error)) from None
        before = {name: self._metrics.count(name) for name in request.metric_names}
        new = self._core.reload_config(models)
        self._core.manager.wait_until_available(new, time_remaining(context))
        response = model_management_pb2.ReloadConfigResponse()
        response.status.error_code = error_codes_pb2.OK
        for name, count in before.items():
            increase = self._metrics.count(name) - count
            response.metric.add(name=name, int64_value_increase=increase)
        return response
