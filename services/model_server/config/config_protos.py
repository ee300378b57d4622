"""TensorFlow Serving's configuration messages of its shells.

Source: tensorflow_serving/config/ssl_config.proto and monitoring_config.proto.
"""

from __future__ import annotations

from typing import Any

from services.model_server.config.message_classes import BOOL, STRING, Field, make_message_classes

_CLASSES = make_message_classes(
    "tensorflow.serving",
    {
        "SSLConfig": [
            Field("server_key", 1, STRING),
            Field("server_cert", 2, STRING),
            Field("custom_ca", 3, STRING),
            Field("client_verify", 4, BOOL),
        ],
        "PrometheusConfig": [Field("enable", 1, BOOL), Field("path", 2, STRING)],
        "MonitoringConfig": [Field("prometheus_config", 1, "tensorflow.serving.PrometheusConfig")],
    },
)
SSLConfig: Any = _CLASSES["SSLConfig"]
MonitoringConfig: Any = _CLASSES["MonitoringConfig"]
