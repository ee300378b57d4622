"""Puts the body of a signature in the place of its function call.

Each signature of a TensorFlow 2 export is a call of a function. A called function always runs on
the threads of the process, whatever a run asks for; an inlined one can run on one thread (see
`run_threads`). Inlining and optimizing is the work of Grappler
(https://www.tensorflow.org/guide/graph_optimization).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import cache

from services.model_server.servables.shape_inference import called_functions
from services.model_server.servables.tensorflow_core import (
    Cluster,
    Graph,
    OpError,
    OptimizeGraph,
    dtypes,
    extract_sub_graph,
    function_pb2,
    graph_pb2,
    import_graph_def,
    node_def_pb2,
)
from services.serving_api.protos import config_pb2, meta_graph_pb2

_SCOPE = "inlined"

_optimizing = threading.Lock()
"""Grappler takes one graph at a time."""


def inline(
    graph: Graph, definition: graph_pb2.GraphDef, signature: meta_graph_pb2.SignatureDef
) -> meta_graph_pb2.SignatureDef | None:
    """Adds the body of a signature to the graph that holds the signature's call.

    Args:
        graph: The imported graph; no session may have run on it.
        definition: What was imported.
        signature: A signature of it.

    Returns:
        The signature with the names of the added tensors; None where Grappler leaves a call.
    """
    tensors = (*signature.inputs.values(), *signature.outputs.values())
    if not all(tensor.name for tensor in tensors):  # A composite or sparse tensor has none.
        return None
    try:
        body = _optimize(definition, signature)
        if any(True for node in body.node for _ in called_functions(node)):
            return None
        del body.library.function[:]
        with graph.as_default():
            import_graph_def(body, _shared_resources(graph, body), name=_SCOPE)
    except (OpError, KeyError, ValueError):
        # The call that was there runs as well.
        return None
    inlined = meta_graph_pb2.SignatureDef()
    inlined.CopyFrom(signature)
    for tensor in (*inlined.inputs.values(), *inlined.outputs.values()):
        tensor.name = f"{_SCOPE}/{tensor.name}"
    return inlined


def _optimize(
    definition: graph_pb2.GraphDef, signature: meta_graph_pb2.SignatureDef
) -> graph_pb2.GraphDef:
    tensors = (*signature.inputs.values(), *signature.outputs.values())
    nodes = sorted({tensor.name.partition(":")[0] for tensor in tensors})
    part = extract_sub_graph(definition, nodes)
    functions = {each.signature.name: each for each in part.library.function}
    del part.library.function[:]
    part.library.function.extend(_reachable(part.node, functions))
    whole = meta_graph_pb2.MetaGraphDef(graph_def=part, signature_def={_SCOPE: signature})
    config = config_pb2.ConfigProto()
    config.graph_options.rewrite_options.min_graph_nodes = -1  # Graphs of any size.
    with _optimizing:
        body: graph_pb2.GraphDef = OptimizeGraph(config, whole, verbose=False, cluster=_cluster())
    for node in body.node:
        # Grappler leaves shapes of before it moved operations.
        node.attr.pop("_output_shapes", None)
    return body


@cache
def _cluster() -> Cluster:
    """Returns Grappler's description of this machine, of which a process may have one only."""
    return Cluster()


def _shared_resources(graph: Graph, body: graph_pb2.GraphDef) -> dict[str, object]:
    """Returns the variables and tables of the graph, which its body is to share."""
    known = {each.name: each for each in graph.get_operations()}
    return {
        f"{node.name}:0": known[node.name].outputs[0]
        for node in body.node
        if not node.input
        and node.name in known
        and [each.dtype for each in known[node.name].outputs] == [dtypes.resource]
    }


def _reachable(
    nodes: Iterable[node_def_pb2.NodeDef], functions: dict[str, function_pb2.FunctionDef]
) -> list[function_pb2.FunctionDef]:
    """Returns the functions that nodes call, and those that these call."""
    found: set[str] = set()
    left = [nodes]
    while left:
        for name in {name for node in left.pop() for name in called_functions(node)} - found:
            found.add(name)
            left.append(functions[name].node_def)
    return [functions[name] for name in sorted(found)]
