"""Loads a SavedModel into a session of TensorFlow, as TensorFlow Serving does.

A session has its own copy of the graph, so that TensorFlow's others are dropped after loading: the
functions of the Python graph, and the shapes written down in functions, which TensorFlow infers
anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from services.model_server.errors import ServingError
from services.model_server.servables.custom_ops import explain_unregistered
from services.model_server.servables.inlining import SCOPE, add_body, inlined_body, reachable_nodes
from services.model_server.servables.shape_inference import remove_function_shapes
from services.model_server.servables.single_thread import (
    add_assignments,
    create_session,
    create_single_session,
    reads_only,
    share_variables,
)
from services.model_server.servables.tensorflow_core import (
    OpError,
    SavedModelLoader,
    Session,
    graph_pb2,
)
from services.serving_api.protos import config_pb2, error_codes_pb2, meta_graph_pb2
from services.serving_api.signatures import DEFAULT_SIGNATURE

_FUNCTION_CALLS = {"PartitionedCall", "StatefulPartitionedCall"}


class LoadedModel(NamedTuple):
    """A session with the variables of a SavedModel.

    Attributes:
        session: The session.
        meta_graph: What was loaded into it.
        default: The default signature in it.
        single: A session whose runs of the default signature take one thread; None where runs
            cannot choose.
    """

    session: Session
    meta_graph: meta_graph_pb2.MetaGraphDef
    default: meta_graph_pb2.SignatureDef | None
    single: Session | None


def load_session(
    path: Path, tags: Sequence[str], config: config_pb2.ConfigProto, *, choose_threads: bool
) -> LoadedModel:
    """Loads a SavedModel.

    Args:
        path: Its folder.
        tags: Which of its graphs.
        config: Threads, GPU memory and optimizations of the session.
        choose_threads: Let runs of the default signature choose between one thread and those of
            the process, where its variables are only read and there is no GPU.

    Raises:
        ServingError: The folder holds no SavedModel with these tags, or a broken one.
    """
    session = None
    try:
        loader = SavedModelLoader(str(path))
        meta_graph = loader.get_meta_graph_def_from_tags(tags)
        remove_function_shapes(meta_graph.graph_def)
        config = _without_double_work(config, meta_graph)
        session = create_session(config)
        body = _body(meta_graph) if choose_threads and not _has_gpu(session) else None
        return _fill(session, loader, meta_graph, list(tags), body)
    except Exception as error:
        if session:
            session.close()
        raise _load_error(path, error) from error


def _body(meta_graph: meta_graph_pb2.MetaGraphDef) -> graph_pb2.GraphDef | None:
    """Returns the graph of the default signature if a second session can run it."""
    definition, signatures = meta_graph.graph_def, meta_graph.signature_def
    if DEFAULT_SIGNATURE not in signatures:
        return None
    body = inlined_body(definition, signatures[DEFAULT_SIGNATURE])
    if body and reads_only(body, reachable_nodes(definition, signatures.values())):
        return body
    return None


def _fill(
    session: Session,
    loader: SavedModelLoader,
    meta_graph: meta_graph_pb2.MetaGraphDef,
    tags: Sequence[str],
    body: graph_pb2.GraphDef | None,
) -> LoadedModel:
    """Loads into a session, and the body of the default signature into another one."""
    graph = session.graph
    default = meta_graph.signature_def.get(DEFAULT_SIGNATURE)
    single = None
    with graph.as_default():
        saver, _ = loader.load_graph(graph, tags)
        if body and default:
            # Before the session's first run: each later change of the graph is a copy of it.
            add_assignments(body)
            default = add_body(graph, body, default)
            single = create_single_session(body, session._config)
        loader.restore_variables(session, saver)
        loader.run_init_ops(session, tags)
    if body and single:
        share_variables(body, session, f"{SCOPE}/", single)
    for name in list(graph._functions):
        graph._remove_function(name)
    return LoadedModel(session, meta_graph, default, single)


def _without_double_work(
    config: config_pb2.ConfigProto, meta_graph: meta_graph_pb2.MetaGraphDef
) -> config_pb2.ConfigProto:
    """Leaves the optimization of functions to their first call, unless `config` says otherwise.

    Each signature of a TensorFlow 2 export is a call of a function, which TensorFlow optimizes
    alone when it first runs. The session would optimize the functions of all signatures, for each
    callable anew: over 90% of the time that a model took to load and to warm up.
    """
    if not _calls_functions(meta_graph) or config.graph_options.HasField("rewrite_options"):
        return config
    changed = config_pb2.ConfigProto()
    changed.CopyFrom(config)
    changed.graph_options.rewrite_options.disable_meta_optimizer = True
    return changed


def _has_gpu(session: Session) -> bool:
    return any(device.device_type == "GPU" for device in session.list_devices())


def _calls_functions(meta_graph: meta_graph_pb2.MetaGraphDef) -> bool:
    return any(node.op in _FUNCTION_CALLS for node in meta_graph.graph_def.node)


def _load_error(path: Path, error: Exception) -> ServingError:
    code = error.error_code if isinstance(error, OpError) else error_codes_pb2.NOT_FOUND
    reason = explain_unregistered(str(error)) or error
    return ServingError(code, f"Could not load the SavedModel in {path}: {reason}")
