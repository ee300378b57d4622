"""Imports modules of TensorFlow without running the package `tensorflow` itself.

`import tensorflow` imports all of its Python API, and Keras: seconds and hundreds of megabytes that
message classes, or a session on a graph, do not need.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hollow_tensorflow() -> Iterator[None]:
    """Replaces `tensorflow` by an empty package while the modules in the block are imported.

    It is removed afterwards, so that a later `import tensorflow` imports the real package, which
    uses the same modules.

    Raises:
        ImportError: no folder named `tensorflow` is on the import path.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError(
            "found no `tensorflow` package, expected one with the protocol buffers "
            "`tensorflow/core/**/*_pb2.py`: install tensorflow-cpu, or copy those files from its "
            "wheel"
        )
    package = types.ModuleType("tensorflow")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["tensorflow"] = package
    try:
        yield
    finally:
        del sys.modules["tensorflow"]
