"""TensorFlow Serving's configuration messages of TLS and monitoring.

Source: tensorflow_serving/config/ssl_config.proto and monitoring_config.proto.
"""

from __future__ import annotations

from typing import Any

from services.model_server.config.message_classes import compile_proto, message_classes

_CLASSES = message_classes(
    compile_proto(
        "tensorflow.serving",
        """
        message SSLConfig {
          string server_key = 1;
          string server_cert = 2;
          string custom_ca = 3;
          bool client_verify = 4;
        }
        message PrometheusConfig { bool enable = 1; string path = 2; }
        message MonitoringConfig { PrometheusConfig prometheus_config = 1; }
        """,
    )
)
SSLConfig: Any = _CLASSES["SSLConfig"]
MonitoringConfig: Any = _CLASSES["MonitoringConfig"]
