"""A servable that can be held while requests queue up behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
from prometheus_client import CollectorRegistry

from services.model_server.batching.batched_servable import BatchingServable
from services.model_server.batching.metrics import BatchingMetrics
from services.model_server.batching.parameters import BatchingParameters
from services.model_server.batching.scheduler import BatchScheduler
from services.model_server.errors import invalid_argument
from services.model_server.servables.servable import Servable, ServableId
from services.serving_api.arrays import Arrays
from services.serving_api.protos import types_pb2
from services.serving_api.signatures import Signature, TensorSpec

FREE = TensorSpec(types_pb2.DT_FLOAT, None)
SECONDS = 10


class Doubler:
    """Doubles `x`, refuses negative numbers, and holds every run until it may go on."""

    def __init__(self, spec: TensorSpec = FREE) -> None:
        self.signatures = {"double": Signature({"x": spec}, {"y": spec}, "")}
        self.signature_defs: dict[str, object] = {}
        self.batches: list[int] = []
        self.threads: list[int] = []
        self.running = threading.Semaphore(0)
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def run(
        self, signature_name: str, inputs: Arrays, output_names: Sequence[str]
    ) -> dict[str, np.ndarray]:
        self.batches.append(len(inputs["x"]))
        self.threads.append(threading.get_ident())
        self.running.release()
        assert self.may_go_on.wait(SECONDS)
        if (inputs["x"] < 0).any():
            raise invalid_argument("negative")
        return {"y": inputs["x"] * 2}

    def close(self) -> None:
        self.batches.append(0)


def batched(
    servable: Servable, metrics: BatchingMetrics | None = None, **parameters: object
) -> BatchingServable:
    """Batch a servable as version 1 of the model `doubler`, by one thread unless told otherwise."""
    chosen = BatchingParameters(**{"num_batch_threads": 1, **parameters})
    families = metrics or BatchingMetrics(CollectorRegistry())
    own = families.of(ServableId("doubler", 1), chosen)
    return BatchingServable(servable, chosen, BatchScheduler(chosen.num_batch_threads), own)


def wait_for(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    pause = threading.Event()
    for _ in range(int(seconds / 0.005)):
        if condition():
            return
        pause.wait(0.005)
    raise AssertionError("not in time")


def waiting_rows(servable: BatchingServable) -> int:
    return sum(batch.size for queue in servable._queues.values() for batch in queue._batches)
