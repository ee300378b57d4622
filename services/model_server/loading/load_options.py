"""How versions are loaded, as the command line says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.serving_api.protos import config_pb2
from services.serving_api.text_proto import read_text_proto


@dataclass(frozen=True)
class LoadOptions:
    """The part of a version's folder to load, and the session's settings.

    Attributes:
        tags: which graph of the SavedModel.
        session_config: threads, GPU memory and optimisations of the session.
        prefer_tflite_model: load `model.tflite` where there is one.
    """

    tags: Sequence[str] = ("serve",)
    session_config: config_pb2.ConfigProto = field(default_factory=config_pb2.ConfigProto)
    prefer_tflite_model: bool = False

    @property
    def leaves_threads_open(self) -> bool:
        """Whether no setting says how many threads a run takes."""
        config = self.session_config
        return not (
            config.intra_op_parallelism_threads
            or config.inter_op_parallelism_threads
            or config.use_per_session_threads
            or config.session_inter_op_thread_pool
        )


def make_session_config(
    path: Path | None,
    *,
    session_parallelism: int = 0,
    intra_op_parallelism: int = 0,
    inter_op_parallelism: int = 0,
    gpu_memory_fraction: float = 0,
) -> config_pb2.ConfigProto:
    """Makes a session's configuration of a file and of what goes before it.

    Args:
        path: a ConfigProto text proto.
        session_parallelism: threads for both kinds; 0 leaves the choice.
        intra_op_parallelism: threads for one operation; goes before session_parallelism.
        inter_op_parallelism: threads for several operations; goes before session_parallelism.
        gpu_memory_fraction: of each GPU, 0 to 1; 0 takes memory as it is needed, where TensorFlow
            Serving takes all of it.

    Raises:
        ConfigError: the file cannot be read or is no ConfigProto.
    """
    config = config_pb2.ConfigProto()
    config.gpu_options.allow_growth = gpu_memory_fraction == 0
    # Copies for debugging, which only RunOptions.output_partition_graphs shows.
    config.experimental.disable_output_partition_graphs = True
    if path:
        config.MergeFrom(read_text_proto(path, config_pb2.ConfigProto()))
    if intra := intra_op_parallelism or session_parallelism:
        config.intra_op_parallelism_threads = intra
    if inter := inter_op_parallelism or session_parallelism:
        config.inter_op_parallelism_threads = inter
    if gpu_memory_fraction:
        config.gpu_options.per_process_gpu_memory_fraction = gpu_memory_fraction
    return config
