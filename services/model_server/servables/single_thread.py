"""A second session for a signature, of which each run takes its caller's thread and no other.

All sessions of a process share the threads that operations are split over, and a run cannot ask
for fewer. A session with threads of its own has variables of its own, which are therefore given the
memory of the first session's. That is right only for variables that no signature writes.
"""

from __future__ import annotations

import ctypes
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import numpy as np
import numpy.typing as npt

from services.model_server.servables.tensorflow_core import (
    Graph,
    Session,
    dtypes,
    graph_pb2,
    import_graph_def,
    node_def_pb2,
    op_def_registry,
)
from services.serving_api.protos import config_pb2

_VARIABLE = "VarHandleOp"
_READS = {"ReadVariableOp", "ResourceGather", "ResourceGatherNd", "VariableShape"}
_LOOKUPS = {"LookupTableFindV2", "LookupTableSizeV2"}
_STATELESS = {"Assert"}
"""Operations that TensorFlow calls stateful, only so that they are not optimized away."""

_ALIGNMENT = 64
"""Bytes; TensorFlow copies what it is given unless it lies at a multiple of them."""

_GROUP_BYTES = 64 << 20
"""Variables are shared in groups of about this size, so that few are in memory twice."""

_SHARES_THREADS = "_ZN10tensorflow11LocalDevice22use_global_threadpool_E"
"""`tensorflow::LocalDevice::use_global_threadpool_`: what TensorFlow sets from the environment
variable TF_OVERRIDE_GLOBAL_THREADPOOL, for all sessions of a process."""

_creating = threading.Lock()


def create_session(config: config_pb2.ConfigProto) -> Session:
    """Returns a session with an empty graph, on the threads that the process shares."""
    with _creating:
        return Session(graph=Graph(), config=config)


def reads_only(body: graph_pb2.GraphDef, nodes: Sequence[node_def_pb2.NodeDef]) -> bool:
    """Tells whether a graph can run in a second session.

    Args:
        body: The graph.
        nodes: The operations of all signatures that share its variables.
    """
    return (
        _shares_threads() is not None
        and all(map(_is_stateless_or_reads, body.node))
        and not any(_takes_resource(node) and node.op not in _READS | _LOOKUPS for node in nodes)
    )


def create_single_session(body: graph_pb2.GraphDef, config: config_pb2.ConfigProto) -> Session:
    """Returns a session that runs a graph in the caller's thread.

    Its variables are yet to be given (see `share_variables`).

    Args:
        body: A graph for which `reads_only` is true.
        config: Settings of the session that it shares variables with.
    """
    single = config_pb2.ConfigProto()
    single.CopyFrom(config)
    single.intra_op_parallelism_threads = 1
    single.inter_op_parallelism_threads = -1  # In the caller's thread.
    single.graph_options.rewrite_options.disable_meta_optimizer = True  # That was done.
    graph = Graph()
    with graph.as_default():
        import_graph_def(body, name="")
    with _creating, _own_threads():
        return Session(graph=graph, config=single)


def add_assignments(body: graph_pb2.GraphDef) -> None:
    """Adds to a graph what reads and assigns its variables."""
    for variable in [node for node in body.node if node.op == _VARIABLE]:
        kind = variable.attr["dtype"]
        value, given, assigned = (body.node.add(name=name) for name in _added(variable.name))
        value.op, given.op, assigned.op = "ReadVariableOp", "Placeholder", "AssignVariableOp"
        value.input.append(variable.name)
        assigned.input.extend([variable.name, given.name])
        for node in (value, given, assigned):
            node.attr["dtype"].CopyFrom(kind)


def share_variables(
    body: graph_pb2.GraphDef, session: Session, scope: str, single: Session
) -> None:
    """Gives two sessions the same memory for their variables.

    Args:
        body: A graph with `add_assignments`.
        session: Has the values, and the graph within a scope.
        scope: Its name, with a slash at the end.
        single: Has the graph alone.
    """
    for group in _groups(body):
        names = [_added(name) for name in group]
        values = session.run([f"{scope}{value}:0" for value, _, _ in names])
        values = [_aligned(value) for value in values]
        for each, prefix in ((session, scope), (single, "")):
            fed = {
                f"{prefix}{given}:0": value
                for (_, given, _), value in zip(names, values, strict=True)
            }
            each.run([f"{prefix}{assigned}" for _, _, assigned in names], fed)


def _added(variable: str) -> tuple[str, str, str]:
    """Returns the names of the three operations of `add_assignments`."""
    return f"{variable}/shared_value", f"{variable}/given", f"{variable}/assigned"


def _groups(body: graph_pb2.GraphDef) -> Iterator[list[str]]:
    """Yields the names of variables that together take about `_GROUP_BYTES`."""
    group: list[str] = []
    size = 0
    for node in body.node:
        if node.op != _VARIABLE:
            continue
        group.append(node.name)
        elements = math.prod(each.size for each in node.attr["shape"].shape.dim)
        size += abs(elements) * dtypes.as_dtype(node.attr["dtype"].type).size
        if size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


@contextmanager
def _own_threads() -> Iterator[None]:
    """Gives the sessions that are created in the block threads of their own."""
    shares_threads = _shares_threads()
    if shares_threads is None:
        raise RuntimeError(f"TensorFlow has no {_SHARES_THREADS}; expected `reads_only` to tell")
    shares_threads.value = False
    try:
        yield
    finally:
        shares_threads.value = True


@cache
def _shares_threads() -> ctypes.c_bool | None:
    """Returns TensorFlow's own variable, or None in a build that names it differently."""
    try:
        library = ctypes.CDLL("libtensorflow_framework.so.2")
        return ctypes.c_bool.in_dll(library, _SHARES_THREADS)
    except (OSError, ValueError):
        return None


def _is_stateless_or_reads(node: node_def_pb2.NodeDef) -> bool:
    if node.op == _VARIABLE:
        kind = dtypes.as_dtype(node.attr["dtype"].type)
        return bool(kind.is_floating or kind.is_integer or kind.is_bool)
    operation = op_def_registry.get(node.op)
    is_stateful = operation is None or operation.is_stateful
    return not is_stateful or node.op in _READS | _STATELESS


def _takes_resource(node: node_def_pb2.NodeDef) -> bool:
    operation = op_def_registry.get(node.op)
    return operation is None or any(
        each.type == dtypes.resource.as_datatype_enum for each in operation.input_arg
    )


def _aligned(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    memory = np.empty(array.nbytes + _ALIGNMENT, np.uint8)
    begin = -memory.ctypes.data % _ALIGNMENT
    copy = memory[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy
