"""Puts the body of a signature in the place of its function call.

Each signature of a TensorFlow 2 export is a call of a function. A second session that runs one
signature (see `single_thread`) needs its body alone, which is optimized once for both sessions.
Inlining and optimizing is the work of Grappler
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
    function_pb2,
    graph_pb2,
    import_graph_def,
    node_def_pb2,
)
from services.serving_api.protos import config_pb2, meta_graph_pb2

SCOPE = "inlined"
"""Where a graph has the body of a signature."""

_optimizing = threading.Lock()
"""Grappler takes one graph at a time."""


def inlined_body(
    definition: graph_pb2.GraphDef, signature: meta_graph_pb2.SignatureDef
) -> graph_pb2.GraphDef | None:
    """Returns the graph of a signature without calls, optimized; None where Grappler leaves one.

    Args:
        definition: The graph that holds the signature's call.
        signature: A signature of it, which names the tensors of the returned graph as well.
    """
    tensors = (*signature.inputs.values(), *signature.outputs.values())
    if not all(tensor.name for tensor in tensors):  # A composite or sparse tensor has none.
        return None
    try:
        body = _optimize(definition, signature)
    except (OpError, KeyError, ValueError):
        # The call that was there runs as well.
        return None
    if any(True for node in body.node for _ in called_functions(node)):
        return None
    del body.library.function[:]
    return body


def add_body(
    graph: Graph, body: graph_pb2.GraphDef, signature: meta_graph_pb2.SignatureDef
) -> meta_graph_pb2.SignatureDef:
    """Adds the body of a signature to the graph that holds its call; the two share variables.

    Args:
        graph: The imported graph; no session may have run on it.
        body: What `inlined_body` returned.
        signature: The signature of it.

    Returns:
        The signature with the names of the added tensors.
    """
    with graph.as_default():
        import_graph_def(body, _shared_resources(graph, body), name=SCOPE)
    inlined = meta_graph_pb2.SignatureDef()
    inlined.CopyFrom(signature)
    for tensor in (*inlined.inputs.values(), *inlined.outputs.values()):
        tensor.name = f"{SCOPE}/{tensor.name}"
    return inlined


def reachable_nodes(
    definition: graph_pb2.GraphDef, signatures: Iterable[meta_graph_pb2.SignatureDef]
) -> list[node_def_pb2.NodeDef]:
    """Returns the operations that signatures run, those in called functions included."""
    nodes = _ancestors(definition, signatures)
    called = _called_by(nodes, definition)
    return [*nodes, *(node for function in called for node in function.node_def)]


def _optimize(
    definition: graph_pb2.GraphDef, signature: meta_graph_pb2.SignatureDef
) -> graph_pb2.GraphDef:
    part = _part(definition, signature)
    whole = meta_graph_pb2.MetaGraphDef(graph_def=part, signature_def={SCOPE: signature})
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


def _part(
    definition: graph_pb2.GraphDef, signature: meta_graph_pb2.SignatureDef
) -> graph_pb2.GraphDef:
    """Returns the part of a graph that a signature needs."""
    nodes = _ancestors(definition, [signature])
    part = graph_pb2.GraphDef(node=nodes, versions=definition.versions)
    part.library.function.extend(_called_by(nodes, definition))
    return part


def _ancestors(
    definition: graph_pb2.GraphDef, signatures: Iterable[meta_graph_pb2.SignatureDef]
) -> list[node_def_pb2.NodeDef]:
    """Returns the operations of a graph that signatures need, functions aside."""
    nodes = {node.name: node for node in definition.node}
    left = [
        tensor.name
        for signature in signatures
        for tensor in (*signature.inputs.values(), *signature.outputs.values())
        if tensor.name
    ]
    found: dict[str, node_def_pb2.NodeDef] = {}
    while left:
        name = left.pop().removeprefix("^").partition(":")[0]
        if name in nodes and name not in found:
            found[name] = nodes[name]
            left.extend(nodes[name].input)
    return list(found.values())


def _called_by(
    nodes: Iterable[node_def_pb2.NodeDef], definition: graph_pb2.GraphDef
) -> list[function_pb2.FunctionDef]:
    """Returns the functions that nodes call, and those that these call."""
    functions = {each.signature.name: each for each in definition.library.function}
    found: set[str] = set()
    left = [nodes]
    while left:
        called = {name for node in left.pop() for name in called_functions(node)}
        for name in called & functions.keys() - found:
            found.add(name)
            left.append(functions[name].node_def)
    return [functions[name] for name in sorted(found)]
