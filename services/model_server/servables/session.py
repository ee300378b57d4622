"""Loads a SavedModel into a session of TensorFlow, as TensorFlow Serving does.

A session has its own copy of the graph, so that TensorFlow's others are dropped after loading: the
functions of the Python graph, and the shapes written down in functions, which TensorFlow infers
anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from services.model_server.errors import ServingError
from services.model_server.servables.custom_ops import explain_unregistered
from services.model_server.servables.inlining import inline
from services.model_server.servables.shape_inference import remove_function_shapes
from services.model_server.servables.tensorflow_core import (
    Graph,
    OpError,
    SavedModelLoader,
    Session,
)
from services.serving_api.protos import config_pb2, error_codes_pb2, meta_graph_pb2
from services.serving_api.signatures import DEFAULT_SIGNATURE

_FUNCTION_CALLS = {"PartitionedCall", "StatefulPartitionedCall"}


class LoadedModel(NamedTuple):
    """A session with the variables of a SavedModel.

    Attributes:
        session: The session.
        meta_graph: What was loaded into it.
        default: The default signature, of which every run chooses its threads; None where none can.
    """

    session: Session
    meta_graph: meta_graph_pb2.MetaGraphDef
    default: meta_graph_pb2.SignatureDef | None


def load_session(
    path: Path, tags: Sequence[str], config: config_pb2.ConfigProto, *, choose_threads: bool
) -> LoadedModel:
    """Loads a SavedModel.

    Args:
        path: Its folder.
        tags: Which of its graphs.
        config: Threads, GPU memory and optimizations of the session.
        choose_threads: Let runs of the default signature choose between one thread and those of
            the process, by `RunOptions.experimental.use_run_handler_pool`.

    Raises:
        ServingError: The folder holds no SavedModel with these tags, or a broken one.
    """
    session = None
    try:
        loader = SavedModelLoader(str(path))
        meta_graph = loader.get_meta_graph_def_from_tags(tags)
        remove_function_shapes(meta_graph.graph_def)
        config = _without_double_work(config, meta_graph)
        session = Session(graph=Graph(), config=_one_thread(config) if choose_threads else config)
        choose_threads = choose_threads and not _has_gpu(session)
        default = _fill(session, loader, meta_graph, list(tags), choose_threads=choose_threads)
    except Exception as error:
        if session:
            session.close()
        raise _load_error(path, error) from error
    return LoadedModel(session, meta_graph, default)


def _fill(
    session: Session,
    loader: SavedModelLoader,
    meta_graph: meta_graph_pb2.MetaGraphDef,
    tags: Sequence[str],
    *,
    choose_threads: bool,
) -> meta_graph_pb2.SignatureDef | None:
    """Loads into a session; returns `LoadedModel.default`."""
    graph = session.graph
    default = None
    with graph.as_default():
        saver, _ = loader.load_graph(graph, tags)
        if choose_threads and DEFAULT_SIGNATURE in meta_graph.signature_def:
            default = meta_graph.signature_def[DEFAULT_SIGNATURE]
            if _calls_functions(meta_graph):
                # Before the session's first run: each later change of the graph is a copy of it.
                default = inline(graph, meta_graph.graph_def, default)
        loader.restore_variables(session, saver)
        loader.run_init_ops(session, tags)
    for name in list(graph._functions):
        graph._remove_function(name)
    return default


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


def _one_thread(config: config_pb2.ConfigProto) -> config_pb2.ConfigProto:
    """Returns the settings of a session of which some runs take one thread and others all.

    The first session of a process determines the threads that operations share, and the first one
    that asks for the pool of run handlers those of that pool: here all cores and one thread.
    """
    _start_threads(config.SerializeToString())
    changed = config_pb2.ConfigProto()
    changed.CopyFrom(config)
    changed.intra_op_parallelism_threads = 1
    return changed


@cache
def _start_threads(config: bytes) -> None:
    Session(graph=Graph(), config=config_pb2.ConfigProto.FromString(config)).close()


def _has_gpu(session: Session) -> bool:
    return any(device.device_type == "GPU" for device in session.list_devices())


def _calls_functions(meta_graph: meta_graph_pb2.MetaGraphDef) -> bool:
    return any(node.op in _FUNCTION_CALLS for node in meta_graph.graph_def.node)


def _load_error(path: Path, error: Exception) -> ServingError:
    code = error.error_code if isinstance(error, OpError) else error_codes_pb2.NOT_FOUND
    reason = explain_unregistered(str(error)) or error
    return ServingError(code, f"Could not load the SavedModel in {path}: {reason}")
