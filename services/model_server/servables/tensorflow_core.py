"""The part of TensorFlow that runs graphs, imported without the rest of it.

`import tensorflow` would take more than twice the memory and several times as long, for Keras and
an API of which a server uses nothing. See "What the memory is spent on" in the README.
"""

from __future__ import annotations

import os

from services.serving_api.hollow_tensorflow import hollow_tensorflow

# oneDNN's own allocator never returns the memory of the largest request.
os.environ.setdefault("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", "1")

with hollow_tensorflow():
    from tensorflow.core.framework import function_pb2, graph_pb2, node_def_pb2
    from tensorflow.lite.python import schema_py_generated as tflite_schema
    from tensorflow.lite.python.interpreter import Interpreter
    from tensorflow.python.client.session import Session
    from tensorflow.python.framework import dtypes, op_def_registry
    from tensorflow.python.framework.errors import OpError
    from tensorflow.python.framework.function_def_to_graph import function_def_to_graph
    from tensorflow.python.framework.graph_util_impl import extract_sub_graph
    from tensorflow.python.framework.importer import import_graph_def
    from tensorflow.python.framework.ops import Graph, Operation
    from tensorflow.python.grappler.cluster import Cluster
    from tensorflow.python.grappler.tf_optimizer import OptimizeGraph
    from tensorflow.python.lib.io._pywrap_record_io import RecordIterator
    from tensorflow.python.ops.array_ops import placeholder
    from tensorflow.python.profiler import profiler_v2 as profiler
    from tensorflow.python.saved_model.loader_impl import SavedModelLoader
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

__all__ = [
    "Cluster",
    "Graph",
    "Interpreter",
    "OpError",
    "Operation",
    "OptimizeGraph",
    "RecordIterator",
    "SavedModelLoader",
    "Session",
    "dtypes",
    "extract_sub_graph",
    "function_def_to_graph",
    "function_pb2",
    "graph_pb2",
    "import_graph_def",
    "node_def_pb2",
    "op_def_registry",
    "placeholder",
    "profiler",
    "tflite_schema",
    "xplane_pb2",
]
