"""The upper limit: the same model in this process, without a server."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.model_server.servables.saved_model import SavedModelServable
from tests.processes import ROOT

Arrays = Mapping[str, npt.NDArray[Any]]

CNN = ROOT / "models/cnn/1"
SIGNATURE = "serving_default"


class InProcessModel:
    """A SavedModel in a session with TensorFlow's default configuration.

    Attributes:
        name: name of the model.
        image_shape: height, width and channels of its images.
    """

    def __init__(self, path: Path = CNN) -> None:
        """Loads the model.

        Args:
            path: folder of a version.
        """
        self._servable = SavedModelServable(path)
        signature = self._servable.signatures[SIGNATURE]
        self._outputs = list(signature.outputs)
        self.name = path.parent.name
        height, width, channels = (signature.inputs["images"].shape or ())[1:]
        self.image_shape = height or 0, width or 0, channels or 0

    def predict(self, images: npt.NDArray[np.float32]) -> Arrays:
        """Runs the default signature on images [N, H, W, C]."""
        return self._servable.run(SIGNATURE, {"images": images}, self._outputs)

    def measure(
        self, images: npt.NDArray[np.float32], seconds: float, threads: int = 1
    ) -> tuple[float, float]:
        """Runs the same batch repeatedly in each thread.

        Returns:
            Images per second, and the processor time of one image in milliseconds.
        """
        counts = [0] * threads
        end = time.perf_counter() + seconds
        processor = time.process_time()

        def work(thread: int) -> None:
            while time.perf_counter() < end:
                self.predict(images)
                counts[thread] += len(images)

        workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        processor = time.process_time() - processor
        return sum(counts) / seconds, processor / sum(counts) * 1e3
