"""TensorFlow Serving's configuration messages that no Python package publishes.

Source: tensorflow_serving/config/ssl_config.proto and monitoring_config.proto.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto
_MESSAGES: dict[str, list[tuple[str, int, str]]] = {
    "SSLConfig": [
        ("server_key", _FIELD.TYPE_STRING, ""),
        ("server_cert", _FIELD.TYPE_STRING, ""),
        ("custom_ca", _FIELD.TYPE_STRING, ""),
        ("client_verify", _FIELD.TYPE_BOOL, ""),
    ],
    "PrometheusConfig": [("enable", _FIELD.TYPE_BOOL, ""), ("path", _FIELD.TYPE_STRING, "")],
    "MonitoringConfig": [("prometheus_config", _FIELD.TYPE_MESSAGE, "PrometheusConfig")],
}
"""The fields of each message in the order of their numbers: name, type, name of a message type."""


def _make_classes() -> dict[str, Any]:
    package = "tensorflow.serving"
    file = descriptor_pb2.FileDescriptorProto(
        name="model_server_configs.proto", package=package, syntax="proto3"
    )
    for name, members in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, (field, kind, type_name) in enumerate(members, start=1):
            message.field.add(
                name=field,
                number=number,
                type=kind,
                type_name=f".{package}.{type_name}" if type_name else None,
                label=_FIELD.LABEL_OPTIONAL,
            )
    # A pool of its own: the default one may hold TensorFlow Serving's own descriptions.
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in _MESSAGES
    }


_CLASSES = _make_classes()
SSLConfig: Any = _CLASSES["SSLConfig"]
MonitoringConfig: Any = _CLASSES["MonitoringConfig"]
