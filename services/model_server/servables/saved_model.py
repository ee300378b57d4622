"""A SavedModel in a session, which is how TensorFlow Serving runs one.

A callable made from `CallableOptions` leaves shapes to the graph; `Session.run` would check them
against the placeholders, which TensorFlow Serving does not. Ranks other than the signature's are
first put to shape inference (see `shape_inference`), because some graphs would abort the process.
It is rarely needed, so that the graph is kept compressed for it.
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
from services.model_server.servables.run_threads import RunThreads
from services.model_server.servables.session import load_session
from services.model_server.servables.shape_inference import find_refusal
from services.model_server.servables.tensorflow_core import OpError, graph_pb2
from services.serving_api.arrays import Arrays
from services.serving_api.protos import config_pb2, meta_graph_pb2
from services.serving_api.signatures import DEFAULT_SIGNATURE, Signature, signature_from

_Run = Callable[..., list[Any]]
_Ranks = tuple[int, ...]

MAX_CALLABLES = 64
"""How many combinations of a signature and outputs stay compiled: each takes some 250 KB, and a
client can ask for any subset of outputs."""

_MAX_JUDGED_RANKS = 1024
"""How many combinations of a signature and ranks are remembered."""


class SavedModelServable:
    """One SavedModel, loaded and ready to run (see `Servable`)."""

    def __init__(
        self,
        path: Path,
        tags: Sequence[str] = ("serve",),
        config: config_pb2.ConfigProto | None = None,
        on_threads: Callable[[int, int], object] | None = None,
    ) -> None:
        """Loads a SavedModel.

        Args:
            path: Its folder.
            tags: Which of its graphs.
            config: Threads, GPU memory and optimizations of the session.
            on_threads: Called with the fewest rows of a batch size and the threads that were found
                to be best for it (see `RunThreads`); None leaves the threads to `config`.

        Raises:
            ServingError: The folder holds no SavedModel with these tags, or a broken one.
        """
        self._session, meta_graph, self._default, self._single = load_session(
            path, tags, config or config_pb2.ConfigProto(), choose_threads=on_threads is not None
        )
        self._threads = RunThreads(on_threads) if on_threads and self._single else None
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
            fetched = self._fetch(signature_name, outputs, feeds)
        except OpError as error:
            raise ServingError(error.error_code, error.message) from None
        arrays = dict(zip(outputs, map(np.asarray, fetched), strict=True))
        return {name: arrays[name] for name in output_names}

    def close(self) -> None:
        """See `Servable.close`."""
        self._callable.cache_clear()
        self._session.close()
        if self._single:
            self._single.close()

    def _fetch(
        self, signature_name: str, outputs: tuple[str, ...], feeds: Sequence[npt.NDArray[Any]]
    ) -> list[Any]:
        if not self._threads or signature_name != DEFAULT_SIGNATURE:
            return self._callable(signature_name, outputs)(*feeds)
        rows = len(feeds[0]) if feeds and feeds[0].ndim else 1
        return self._threads.run(
            rows, lambda is_single: self._callable(signature_name, outputs, is_single)(*feeds)
        )

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

    def _make_callable(
        self, signature_name: str, outputs: tuple[str, ...], is_single: bool = False
    ) -> _Run:
        session, proto = self._session, self.signature_defs[signature_name]
        if is_single and self._single:
            session = self._single
        elif self._default and signature_name == DEFAULT_SIGNATURE:
            proto = self._default
        for name in outputs:
            _check_is_one_tensor(name, proto.outputs[name])
        options = config_pb2.CallableOptions(
            feed=[info.name for info in proto.inputs.values()],
            fetch=[proto.outputs[name].name for name in outputs],
        )
        run: _Run = session._make_callable_from_options(options)
        return run


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
