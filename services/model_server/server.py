"""Puts the models and the two APIs together, and runs them until a signal."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import structlog

from services.host.memory import limit_arenas
from services.host.signals import AwaitedSignals
from services.model_server.batching.loader import batching_loader
from services.model_server.batching.parameters import (
    BatchingParameters,
    read_batching_parameters,
)
from services.model_server.config.model_config import (
    ConfigError,
    ModelConfig,
    read_config_file,
    single_model,
)
from services.model_server.flags import Flags, log_ignored
from services.model_server.grpc_api.options import (
    GrpcOptions,
    parse_channel_arguments,
    read_credentials,
)
from services.model_server.grpc_api.server import GrpcServer
from services.model_server.inference.background_warmup import BackgroundWarmUp
from services.model_server.inference.data_plane import DataPlane, DataPlaneOptions
from services.model_server.inference.metrics import Metrics
from services.model_server.inference.warmup import warming_loader
from services.model_server.loading.load_limit import limit_loads
from services.model_server.loading.load_options import LoadOptions, make_session_config
from services.model_server.models.config_poller import ConfigPoller
from services.model_server.models.manager import ModelManager, Retries
from services.model_server.models.model_control import ModelControl
from services.model_server.models.server_core import ServerCore
from services.model_server.rest_api.options import RestOptions, read_metrics_path
from services.model_server.rest_api.server import RestServer
from services.model_server.servables.cancellation import Cancellation
from services.model_server.servables.servable import Load, Servable, ServableId

DRAIN_SECONDS = 25
"""The time that requests in flight have after SIGTERM; Kubernetes kills after 30 by default."""

BATCHING_THREADS = 64
"""The fewest threads of each API with batching: this many requests can share a batch."""

_log = structlog.get_logger(__name__)


def serve(flags: Flags) -> None:
    """Serves until SIGTERM or SIGINT, then drains.

    Raises:
        ConfigError: the model config file is wrong, or the gRPC transport is missing or refuses a
            channel argument.
        PortTakenError: a port is taken.
    """
    limit_arenas()
    signals = AwaitedSignals(signal.SIGTERM, signal.SIGINT)
    log_ignored(flags)
    is_explicit = flags.model_control_mode == "explicit"
    models = _models_to_load(flags) if is_explicit else read_models(flags)
    # A load that a client asked for fails at once, and is tried again when it asks again.
    max_retries = 0 if is_explicit else flags.max_num_load_retries
    retries = Retries(max_retries, flags.load_retry_interval_micros / 1e6)
    metrics = Metrics()
    loading = Cancellation()
    background = BackgroundWarmUp(_warm_up_iterations(flags))
    load = _make_load(flags, metrics, loading, background)
    # Half of the threads of either API: the others go on answering for what is loaded.
    may_wait = min(_grpc_options(flags).max_threads, _rest_options(flags).num_threads) // 2
    manager = ModelManager(models, load, retries, may_wait, may_be_empty=is_explicit)
    core = ServerCore(
        manager,
        models,
        poll_wait_seconds=flags.file_system_poll_wait_seconds,
        allow_unavailable_labels=flags.allow_version_labels_for_unavailable_models,
        read_models=partial(read_models, flags) if is_explicit else None,
    )
    servers = _open_ports(flags, core, metrics)
    core.start()
    background.start(manager)
    with _polled_config(flags, core):
        signals.wait()
    start = time.perf_counter()
    _log.info("draining", at_most_seconds=DRAIN_SECONDS)
    loading.cancel()
    background.stop()
    manager.stop_waiting()
    with ThreadPoolExecutor() as stoppers:
        list(stoppers.map(lambda server: server.stop(), servers))
    core.stop()
    _log.info("stopped", seconds=round(time.perf_counter() - start, 3))


def _open_ports(flags: Flags, core: ServerCore, metrics: Metrics) -> list[GrpcServer | RestServer]:
    # All are taken before any answers, so that a taken one stops the process unnoticed.
    options = DataPlaneOptions(
        check_method_names=flags.enable_signature_method_name_check,
        tensor_content=flags.enable_serialization_as_tensor_content,
    )
    by_grpc = DataPlane(core.manager, "GRPC", metrics, options)
    by_rest = DataPlane(core.manager, "REST", metrics, options)
    servers: list[GrpcServer | RestServer] = [
        GrpcServer(core, by_grpc, _grpc_options(flags), DRAIN_SECONDS)
    ]
    if flags.rest_api_port:
        control = ModelControl(core) if core.read_models else None
        rest_options = _rest_options(flags)
        servers.append(RestServer(core.manager, by_rest, rest_options, DRAIN_SECONDS, control))
    for server in servers:
        server.start()
    _log.info("ports open", grpc=flags.port, rest=flags.rest_api_port or None)
    return servers


def _grpc_options(flags: Flags) -> GrpcOptions:
    return GrpcOptions(
        port=flags.port,
        socket_path=flags.grpc_socket_path,
        max_threads=_threads(flags, flags.grpc_max_threads),
        channel_arguments=parse_channel_arguments(flags.grpc_channel_arguments),
        credentials=read_credentials(flags.ssl_config_file) if flags.ssl_config_file else None,
        enable_profiler=flags.enable_profiler,
        transport=flags.grpc_transport,
    )


def _rest_options(flags: Flags) -> RestOptions:
    return RestOptions(
        port=flags.rest_api_port,
        num_threads=_threads(flags, flags.rest_api_num_threads),
        timeout_seconds=flags.rest_api_timeout_in_ms / 1000,
        max_body_bytes=flags.rest_api_max_body_bytes,
        max_json_values=flags.rest_api_max_json_values,
        enable_cors=flags.rest_api_enable_cors_support,
        metrics_path=read_metrics_path(flags.monitoring_config_file),
    )


@contextmanager
def _polled_config(flags: Flags, core: ServerCore) -> Iterator[None]:
    """Reloads the model config file when it changes, if the flags ask for it."""
    wait_seconds = flags.model_config_file_poll_wait_seconds
    if not flags.model_config_file or wait_seconds <= 0:
        yield
        return
    poller = ConfigPoller(core, flags.model_config_file, wait_seconds)
    poller.start()
    yield
    poller.stop()


def read_models(flags: Flags) -> list[ModelConfig]:
    """Returns what the flags say to serve.

    Raises:
        ConfigError: the model config file is wrong.
    """
    if flags.model_config_file:
        return read_config_file(flags.model_config_file)
    return single_model(flags.model_name, flags.model_base_path)


def _models_to_load(flags: Flags) -> list[ModelConfig]:
    """Returns the models of `--load_model`.

    Raises:
        ConfigError: the model config file is wrong, or does not have one of them.
    """
    models = read_models(flags)
    if "*" in flags.load_model:
        return models
    names = {model.name for model in models}
    if unknown := sorted(set(flags.load_model) - names):
        raise ConfigError(f"--load_model names {unknown}, expected some of {sorted(names)}")
    return [model for model in models if model.name in flags.load_model]


def _make_load(
    flags: Flags, metrics: Metrics, loading: Cancellation, background: BackgroundWarmUp
) -> Load:
    options = LoadOptions(
        tags=flags.saved_model_tags.split(","),
        session_config=make_session_config(
            flags.tensorflow_session_config_file,
            session_parallelism=flags.tensorflow_session_parallelism,
            intra_op_parallelism=flags.tensorflow_intra_op_parallelism,
            inter_op_parallelism=flags.tensorflow_inter_op_parallelism,
            gpu_memory_fraction=flags.per_process_gpu_memory_fraction,
        ),
        prefer_tflite_model=flags.prefer_tflite_model,
    )

    def load(_: ServableId, path: Path) -> Servable:
        # TensorFlow takes seconds to import; the ports are open by then and say NOT_SERVING.
        from services.model_server.loading import loader  # noqa: PLC0415

        return loader.load(path, options, metrics.loads)

    at_once = flags.num_load_threads or os.cpu_count() or 1
    warmed = _warmed(load, flags, metrics, background)
    return limit_loads(_batched(warmed, flags, metrics), at_once, loading)


def _warmed(load: Load, flags: Flags, metrics: Metrics, background: BackgroundWarmUp) -> Load:
    if not flags.enable_model_warmup:
        return load
    if flags.enable_background_warmup:
        return background.loader(load, metrics.loads)
    return warming_loader(load, metrics.loads, _warm_up_iterations(flags))


def _warm_up_iterations(flags: Flags) -> int:
    return max(flags.num_request_iterations_for_warmup, 1)


def _threads(flags: Flags, wanted: int) -> int:
    # A request that waits for its batch keeps its thread: with few threads there are no batches.
    return max(wanted, BATCHING_THREADS) if flags.enable_batching else wanted


def _batched(load: Load, flags: Flags, metrics: Metrics) -> Load:
    if not flags.enable_batching:
        return load
    file = flags.batching_parameters_file
    parameters = read_batching_parameters(file) if file else BatchingParameters()
    per_model = flags.enable_per_model_batching_parameters
    return batching_loader(load, parameters, metrics.batching, per_model=per_model)
