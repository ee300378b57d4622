"""Compiles proto3 source that no Python package publishes, without protoc and generated modules."""

from __future__ import annotations

import re
from collections import deque
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FileDescriptor

_FIELD = descriptor_pb2.FieldDescriptorProto
_TOKEN = re.compile(r"[\w.]+|[{}()<>,;=]")
_SCALARS = {
    name: _FIELD.Type.Value(f"TYPE_{name.upper()}")
    for name in ("bool", "bytes", "double", "float", "int32", "int64", "string", "uint32", "uint64")
}


def compile_proto(package: str, source: str, *imports: FileDescriptor) -> FileDescriptor:
    """Returns the description of a file of messages and services.

    Args:
        package: the protocol buffers' package.
        source: `message` and `service` definitions in proto3, without comments and options.
        imports: the files of other packages' messages, which import nothing themselves.
    """
    # A pool of its own: the default one may hold the original descriptions.
    pool = descriptor_pool.DescriptorPool()
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="proto3"
    )
    for imported in imports:
        pool.AddSerializedFile(imported.serialized_pb)
        file.dependency.append(imported.name)
    _Parser(source).read_file(file)
    pool.Add(file)
    return pool.FindFileByName(file.name)


def message_classes(file: FileDescriptor) -> dict[str, Any]:
    """Returns a class for each message of a file, by its name."""
    return {
        name: message_factory.GetMessageClass(message)
        for name, message in file.message_types_by_name.items()
    }


class _Parser:
    """Reads the definitions of a source one after the other."""

    def __init__(self, source: str) -> None:
        self._tokens = deque(_TOKEN.findall(source))

    def read_file(self, file: descriptor_pb2.FileDescriptorProto) -> None:
        while self._tokens:
            kind, name = self._take(2)
            if kind == "message":
                self._read_message(file.message_type.add(name=name))
            else:
                self._read_service(file.service.add(name=name))

    def _read_service(self, service: descriptor_pb2.ServiceDescriptorProto) -> None:
        self._take(1)
        while self._tokens[0] != "}":
            _, name, _, request, _, _, _, response, _, _ = self._take(10)
            service.method.add(name=name, input_type=request, output_type=response)
        self._take(1)

    def _read_message(self, message: descriptor_pb2.DescriptorProto) -> None:
        self._take(1)
        while self._tokens[0] != "}":
            match self._tokens[0]:
                case "message":
                    _, name = self._take(2)
                    self._read_message(message.nested_type.add(name=name))
                case "oneof":
                    self._read_oneof(message)
                case "map":
                    self._read_map(message)
                case _:
                    self._read_field(message.field.add())
        self._take(1)

    def _read_oneof(self, message: descriptor_pb2.DescriptorProto) -> None:
        _, name, _ = self._take(3)
        message.oneof_decl.add(name=name)
        while self._tokens[0] != "}":
            self._read_field(message.field.add(oneof_index=len(message.oneof_decl) - 1))
        self._take(1)

    def _read_map(self, message: descriptor_pb2.DescriptorProto) -> None:
        _, _, key, _, value, _, name, _, number, _ = self._take(10)
        entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        _describe(entry.field.add(name="key", number=1), key)
        _describe(entry.field.add(name="value", number=2), value)
        field = message.field.add(name=name, number=int(number), label=_FIELD.LABEL_REPEATED)
        field.type_name = entry.name

    def _read_field(self, field: descriptor_pb2.FieldDescriptorProto) -> None:
        if self._tokens[0] == "repeated":
            self._take(1)
            field.label = _FIELD.LABEL_REPEATED
        kind, field.name, _, number, _ = self._take(5)
        field.number = int(number)
        _describe(field, kind)

    def _take(self, count: int) -> list[str]:
        return [self._tokens.popleft() for _ in range(count)]


def _describe(field: descriptor_pb2.FieldDescriptorProto, kind: str) -> None:
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type_name = kind
