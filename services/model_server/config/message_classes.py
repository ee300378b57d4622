"""Makes classes of protocol buffer messages that no Python package publishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FileDescriptor

_FIELD = descriptor_pb2.FieldDescriptorProto
BOOL, STRING = _FIELD.TYPE_BOOL, _FIELD.TYPE_STRING
INT64, UINT64 = _FIELD.TYPE_INT64, _FIELD.TYPE_UINT64


class Field(NamedTuple):
    """One field of a message; `type` is one of the above, or the full name of a message."""

    name: str
    number: int
    type: descriptor_pb2.FieldDescriptorProto.Type.ValueType | str
    repeated: bool = False


def make_message_classes(
    package: str, messages: Mapping[str, Sequence[Field]], *imports: FileDescriptor
) -> dict[str, Any]:
    """Return a class for each message, by its name.

    Args:
        package: the protocol buffers' package.
        messages: the fields of each message in it.
        imports: the files of other packages' messages, which import nothing themselves.
    """
    # A pool of its own: the default one may hold the original descriptions.
    pool = descriptor_pool.DescriptorPool()
    file = descriptor_pb2.FileDescriptorProto(name="own.proto", package=package, syntax="proto3")
    for imported in imports:
        pool.AddSerializedFile(imported.serialized_pb)
        file.dependency.append(imported.name)
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field in fields:
            _describe(field, message.field.add())
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in messages
    }


def _describe(field: Field, proto: descriptor_pb2.FieldDescriptorProto) -> None:
    proto.name, proto.number = field.name, field.number
    proto.label = _FIELD.LABEL_REPEATED if field.repeated else _FIELD.LABEL_OPTIONAL
    if isinstance(field.type, str):
        proto.type, proto.type_name = _FIELD.TYPE_MESSAGE, f".{field.type}"
    else:
        proto.type = field.type
