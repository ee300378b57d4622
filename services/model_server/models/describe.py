"""Describes models: the state of their versions, and their signatures."""

from __future__ import annotations

from collections.abc import Sequence

from services.model_server.models.manager import ModelManager
from services.model_server.models.model import VersionStatus
from services.model_server.servables.servable import Servable
from services.serving_api.protos import (
    error_codes_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
)
from services.serving_api.rest_json.models import ModelDescription


def describe_status(
    manager: ModelManager, spec: model_pb2.ModelSpec
) -> get_model_status_pb2.GetModelStatusResponse:
    """Reports one version of a model, or all of them, newest first.

    Raises:
        ServingError: NOT_FOUND, there is none.
    """
    version = spec.version.value if spec.HasField("version") else None
    return _status_response(manager.statuses(spec.name, version))


def describe_models(manager: ModelManager) -> list[ModelDescription]:
    """Reports every configured model, in the order of the names."""
    return [
        ModelDescription(
            name,
            _status_response(manager.statuses_if_any(name)),
            manager.labels(name),
            manager.problem(name),
        )
        for name in manager.names()
    ]


def describe_signatures(
    servable: Servable, model_spec: model_pb2.ModelSpec
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """Returns the signatures of a model as it states them; `model_spec` says which model it is."""
    response = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=model_spec)
    signature_map = get_model_metadata_pb2.SignatureDefMap()
    for name, proto in servable.signature_defs.items():
        signature_map.signature_def[name].CopyFrom(proto)
    response.metadata["signature_def"].Pack(signature_map)
    return response


def _status_response(
    statuses: Sequence[VersionStatus],
) -> get_model_status_pb2.GetModelStatusResponse:
    response = get_model_status_pb2.GetModelStatusResponse()
    for status in statuses:
        entry = response.model_version_status.add(version=status.version, state=status.state)
        entry.status.error_code = status.error.code if status.error else error_codes_pb2.OK
        entry.status.error_message = status.error.message if status.error else ""
    return response
