from __future__ import annotations

import pytest
from google.protobuf import wrappers_pb2
from google.protobuf.descriptor import Descriptor, ServiceDescriptor
from tritonclient.grpc import service_pb2

from services.model_server.config.message_classes import compile_proto, message_classes
from services.model_server.grpc_api.open_inference_proto import FILE, SERVICE


def fields(message: Descriptor) -> dict[str, tuple[object, ...]]:
    return {
        field.name: (
            field.number,
            field.type,
            field.is_repeated,
            field.containing_oneof.name if field.containing_oneof else None,
            field.message_type.full_name if field.message_type else None,
        )
        for field in message.fields
    }


def methods(service: ServiceDescriptor) -> dict[str, tuple[str, str]]:
    return {
        method.name: (method.input_type.full_name, method.output_type.full_name)
        for method in service.methods
    }


@pytest.mark.parametrize("name", FILE.message_types_by_name)
def test_messages_are_those_that_protoc_makes(name: str) -> None:
    ours, theirs = FILE.message_types_by_name[name], getattr(service_pb2, name).DESCRIPTOR
    assert fields(ours) == fields(theirs)
    for nested in ours.nested_types_by_name.values():
        assert fields(nested) == fields(theirs.nested_types_by_name[nested.name])


def test_the_service_is_the_one_that_protoc_makes() -> None:
    theirs = methods(service_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"])
    assert methods(SERVICE).items() <= theirs.items()


def test_messages_of_other_packages() -> None:
    source = "message Wrapped { google.protobuf.Int64Value size = 1; repeated bool flags = 2; }"
    file = compile_proto("mine", source, wrappers_pb2.DESCRIPTOR)
    message = message_classes(file)["Wrapped"](flags=[True])
    assert not message.HasField("size")
    message.size.value = 5
    assert message.FromString(message.SerializeToString()) == message
