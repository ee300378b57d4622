"""A SavedModel in a session, which is how TensorFlow Serving runs one.

TensorFlow's session loader takes TF1 and TF2 models alike, and a callable made from
`CallableOptions` leaves shapes to the graph; `Session.run` would check them against the
placeholders, which TensorFlow Serving does not. Ranks other than the signature's are first put to
shape inference (see `shape_inference`), because some graphs would abort the process.

A session has its own copy of the graph, so that TensorFlow's others are dropped after loading: the
SavedModel's message, the functions of the Python graph, and the shapes written down in functions,
which TensorFlow infers anew. Shape inference, which is rarely
needed, unpacks the graph from a compressed copy.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.model_server.errors import ServingError, invalid_argument
from services.model_server.servables.custom_ops import explain_unregistered
from services.model_server.servables.shape_inference import find_refusal, remove_function_shapes
from services.model_server.servables.tensorflow_core import (
    Graph,
    OpError,
    SavedModelLoader,
    Session,
    graph_pb2,
)
from services.serving_api.arrays import Arrays
from services.serving_api.protos import config_pb2, error_codes_pb2, meta_graph_pb2
from services.serving_api.signatures import Signature, signature_from

_Run = Callable[..., list[Any]]
_Ranks = tuple[int, ...]

MAX_CALLABLES = 64
"""How many combinations of a signature and outputs stay compiled: each takes some 250 KB, and a
client can ask for any subset of outputs."""

_FUNCTION_CALLS = {"PartitionedCall", "StatefulPartitionedCall"}

_MAX_JUDGED_RANKS = 1024
"""How many combinations of a signature and ranks are remembered."""


class SavedModelServable:
    """One SavedModel, loaded and ready to run (see `Servable`)."""

    def __init__(
        self,
        path: Path,
        tags: Sequence[str] = ("serve",),
        config: config_pb2.ConfigProto | None = None,
    ) -> None:
        """Loads a SavedModel.

        Args:
            path: its folder.
            tags: which of its graphs.
            config: threads, GPU memory and optimisations of the session.

        Raises:
            ServingError: the folder holds no SavedModel with these tags, or a broken one.
        """
        self._session, meta_graph = _load(path, tags, config or config_pb2.ConfigProto())
        self._packed_graph = zlib.compress(meta_graph.graph_def.SerializeToString(), 1)
        # Copies, since a part of a message keeps the whole of it in memory.
        self.signature_defs: Mapping[str, meta_graph_pb2.SignatureDef] = {
            name: meta_graph_pb2.SignatureDef.FromString(proto.SerializeToString())
            for name, proto in meta_graph.signature_def.items()
        }
        self.signatures: Mapping[str, Signature] = {
            name: signature_from(proto) for name, proto in self.signature_defs.items()
        }
        self._ranks: Mapping[str, _Ranks | None] = {
            name: _stated_ranks(signature) for name, signature in self.signatures.items()
        }
        self._refusal = lru_cache(_MAX_JUDGED_RANKS)(self._infer_refusal)
        self._inferring = threading.Lock()
        self._callable = lru_cache(MAX_CALLABLES)(self._make_callable)

    def run(
        self, signature_name: str, inputs: Arrays, output_names: Sequence[str]
    ) -> dict[str, npt.NDArray[Any]]:
        """See `Servable.run`."""
        # Sorted, so that the order in which a client names outputs makes no new callable.
        outputs = tuple(sorted(output_names))
        feeds = [inputs[name] for name in self.signatures[signature_name].inputs]
        self._check_ranks(signature_name, feeds)
        try:
            fetched = self._callable(signature_name, outputs)(*feeds)
        except OpError as error:
            raise ServingError(error.error_code, error.message) from None
        arrays = dict(zip(outputs, map(np.asarray, fetched), strict=True))
        return {name: arrays[name] for name in output_names}

    def close(self) -> None:
        """See `Servable.close`."""
        self._callable.cache_clear()
        self._session.close()

    def _check_ranks(self, signature_name: str, feeds: Sequence[npt.NDArray[Any]]) -> None:
        """Refuses ranks on which the graph might abort the process."""
        ranks = tuple(array.ndim for array in feeds)
        if ranks == self._ranks[signature_name]:
            return
        if refusal := self._refusal(signature_name, ranks):
            raise invalid_argument(f"the model does not take these ranks: {refusal}")

    def _infer_refusal(self, signature_name: str, ranks: _Ranks) -> str | None:
        signature_def = self.signature_defs[signature_name]
        by_name = dict(zip(self.signatures[signature_name].inputs, ranks, strict=True))
        # One at a time, since a large graph takes a while.
        with self._inferring:
            graph_def = graph_pb2.GraphDef.FromString(zlib.decompress(self._packed_graph))
            return find_refusal(graph_def, signature_def, by_name)

    def _make_callable(self, signature_name: str, outputs: tuple[str, ...]) -> _Run:
        proto = self.signature_defs[signature_name]
        for name in outputs:
            _check_is_one_tensor(name, proto.outputs[name])
        options = config_pb2.CallableOptions(
            feed=[info.name for info in proto.inputs.values()],
            fetch=[proto.outputs[name].name for name in outputs],
        )
        run: _Run = self._session._make_callable_from_options(options)
        return run


def _load(
    path: Path, tags: Sequence[str], config: config_pb2.ConfigProto
) -> tuple[Session, meta_graph_pb2.MetaGraphDef]:
    """Returns a session with the variables of a SavedModel, and the graph that it has loaded.

    Raises:
        ServingError: see `SavedModelServable`.
    """
    session = None
    try:
        loader = SavedModelLoader(str(path))
        meta_graph = loader.get_meta_graph_def_from_tags(tags)
        remove_function_shapes(meta_graph.graph_def)
        session = Session(graph=Graph(), config=_without_double_work(config, meta_graph))
        _fill(session, loader, list(tags))
    except Exception as error:
        if session:
            session.close()
        raise _load_error(path, error) from error
    return session, meta_graph


def _fill(session: Session, loader: SavedModelLoader, tags: Sequence[str]) -> None:
    """Loads a SavedModel into a session, and drops what only the session's graph needs."""
    graph = session.graph
    with graph.as_default():
        saver, _ = loader.load_graph(graph, tags)
        loader.restore_variables(session, saver)
        loader.run_init_ops(session, tags)
    for name in list(graph._functions):
        graph._remove_function(name)


def _without_double_work(
    config: config_pb2.ConfigProto, meta_graph: meta_graph_pb2.MetaGraphDef
) -> config_pb2.ConfigProto:
    """Leaves the optimization of functions to their first call, unless `config` says otherwise.

    Each signature of a TensorFlow 2 export is a call of a function, which TensorFlow optimizes
    alone when it first runs. The session would optimize the functions of all signatures, for each
    callable anew: over 90% of the time that a model took to load and to warm up.
    """
    calls_functions = any(node.op in _FUNCTION_CALLS for node in meta_graph.graph_def.node)
    if not calls_functions or config.graph_options.HasField("rewrite_options"):
        return config
    changed = config_pb2.ConfigProto()
    changed.CopyFrom(config)
    changed.graph_options.rewrite_options.disable_meta_optimizer = True
    return changed


def _stated_ranks(signature: Signature) -> _Ranks | None:
    """Returns the rank of each input, or None where one is unknown."""
    shapes = [spec.shape for spec in signature.inputs.values()]
    return (
        tuple(len(shape) for shape in shapes if shape is not None) if None not in shapes else None
    )


def _check_is_one_tensor(name: str, info: meta_graph_pb2.TensorInfo) -> None:
    """Refuses outputs that consist of several tensors, which no answer can carry under one name."""
    match info.WhichOneof("encoding"):
        case "composite_tensor":
            spec = info.composite_tensor.type_spec
            kind = spec.TypeSpecClass.Name(spec.type_spec_class).removesuffix("_SPEC")
        case "coo_sparse":
            kind = "SPARSE_TENSOR"
        case _:
            return
    raise invalid_argument(
        f'output "{name}" is a {kind.replace("_", " ").lower()}, expected a dense tensor: export a '
        "signature that returns one (`to_tensor()`), or its parts under a name each, or name other "
        "outputs in output_filter"
    )


def _load_error(path: Path, error: Exception) -> ServingError:
    code = error.error_code if isinstance(error, OpError) else error_codes_pb2.NOT_FOUND
    reason = explain_unregistered(str(error)) or error
    return ServingError(code, f"Could not load the SavedModel in {path}: {reason}")
