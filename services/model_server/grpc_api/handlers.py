"""Registers services by their descriptors."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass

# Their modules import messages that only this one can import without TensorFlow.
import services.serving_api.protos  # noqa: F401


def _tensorflow_servings(module: str, name: str) -> ServiceDescriptor:
    # The module adds its descriptors to protobuf's pool, and then fails on attributes that protobuf
    # no longer has.
    with suppress(AttributeError):
        import_module(f"tensorflow_serving.apis.{module}")
    return descriptor_pool.Default().FindServiceByName(f"tensorflow.serving.{name}")


PREDICTION_SERVICE = _tensorflow_servings("prediction_service_pb2", "PredictionService")
MODEL_SERVICE = _tensorflow_servings("model_service_pb2", "ModelService")


def add_service(server: grpc.Server, service: ServiceDescriptor, servicer: object) -> None:
    """Answers each method of a service by the method of that name of a servicer.

    pygrpc-native serves only methods that are registered, which TensorFlow Serving's generated code
    does not do.
    """
    handlers = {
        method.name: grpc.unary_unary_rpc_method_handler(
            getattr(servicer, method.name),
            request_deserializer=GetMessageClass(method.input_type).FromString,
            response_serializer=GetMessageClass(method.output_type).SerializeToString,
        )
        for method in service.methods
    }
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service.full_name, handlers),)
    )
    server.add_registered_method_handlers(service.full_name, handlers)
