"""The protos come without TensorFlow, and do not stand in its way."""

from __future__ import annotations

import subprocess
import sys


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_importing_the_protos_loads_no_tensorflow():
    code = """
import sys
from services.serving_api.rest_json import predict as predict_json
from services.serving_api import protos, signatures, status, tensors
print("tensorflow" in sys.modules, "tensorflow.python" in sys.modules, "keras" in sys.modules)
"""
    assert run(code) == "False False False"


def test_tensorflow_imports_afterwards_with_the_same_classes():
    code = """
from services.serving_api.protos import tensor_pb2
import tensorflow as tf
print(isinstance(tf.make_tensor_proto(1), tensor_pb2.TensorProto), int(tf.constant(1) + 1))
"""
    assert run(code) == "True 2"


def test_protos_import_after_tensorflow():
    code = """
import tensorflow as tf
from services.serving_api.protos import tensor_pb2
print(isinstance(tf.make_tensor_proto(1), tensor_pb2.TensorProto), int(tf.constant(1) + 1))
"""
    assert run(code) == "True 2"


def test_a_missing_tensorflow_says_what_to_install():
    code = """
import importlib.util
importlib.util.find_spec = lambda name: None
try:
    from services.serving_api import protos
except ImportError as error:
    print(error)
"""
    assert "install tensorflow-cpu" in run(code)
