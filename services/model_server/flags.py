"""The command line of `tensorflow_model_server`: every flag in its spelling (`--flag=value`).

Source: tensorflow_serving/model_servers/main.cc. The table is the class `Flags`: a field a flag.
"""

# ruff: noqa: RUF009 (`_flag` and `_ignored` return a dataclass field)

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import Field, dataclass, field, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_type_hints

import structlog

from services.model_server.grpc_api.options import GRPCIO, TRANSPORTS
from services.model_server.rest_api.options import DEFAULT_MAX_BODY_BYTES
from services.serving_api.rest_json.parsing import DEFAULT_MAX_VALUES

_THREADS = 4 * (os.cpu_count() or 1)

_log = structlog.get_logger(__name__)


def _flag(default: Any, text: str, *, ignored: bool = False) -> Any:
    """Describes a flag; where `ignored`, the text says why it means nothing here."""
    return field(default=default, metadata={"help": text, "ignored": ignored})


def _ignored(default: Any, why: str) -> Any:
    return _flag(default, why, ignored=True)


@dataclass(frozen=True, kw_only=True)
class Flags:
    """The flags of `tensorflow_model_server`, by its names and with its defaults."""

    port: int = _flag(8500, "for gRPC; 0 for none, which needs --grpc_socket_path")
    grpc_socket_path: str = _flag("", "a UNIX socket to listen on for gRPC")
    rest_api_port: int = _flag(0, "for HTTP; 0 for none")
    rest_api_num_threads: int = _flag(
        _THREADS, "that work on HTTP requests; with batching at least 64, since they wait together"
    )
    rest_api_timeout_in_ms: int = _flag(30_000, "after which an HTTP request is answered by 504")
    rest_api_max_body_bytes: int = _flag(
        DEFAULT_MAX_BODY_BYTES,
        "of an HTTP body, before and after decompression; TensorFlow Serving has no such flag",
    )
    rest_api_max_json_values: int = _flag(
        DEFAULT_MAX_VALUES,
        "numbers in a JSON body; a string or a list counts as two, an object as five",
    )
    rest_api_enable_cors_support: bool = _flag(False, "let pages of other origins call")
    model_config_file: Path | None = _flag(
        None, "a ModelServerConfig text proto; goes before --model_name and --model_base_path"
    )
    model_config_file_poll_wait_seconds: float = _flag(
        0, "pause between two looks at the config file; 0 looks once"
    )
    model_control_mode: str = _flag(
        "none",
        "none serves every configured model; explicit those of --load_model and those that clients "
        "load by the model repository extension of the Open Inference Protocol",
    )
    load_model: Sequence[str] = _flag(
        (), "a configured model to load at the start in explicit mode; * for all; may be repeated"
    )
    model_name: str = _flag("default", "of the model in --model_base_path")
    model_base_path: str = _flag("", "the folder that holds the version folders")
    file_system_poll_wait_seconds: float = _flag(
        1, "pause between two looks for new versions; 0 looks once, less than 0 never"
    )
    max_num_load_retries: int = _flag(5, "how often a failed load is tried again")
    load_retry_interval_micros: int = _flag(60_000_000, "between two tries; below 0 for no pause")
    allow_version_labels_for_unavailable_models: bool = _flag(
        False, "let a new label name a version that is not available yet"
    )
    saved_model_tags: str = _flag("serve", "of the graph to load, with commas between them")
    prefer_tflite_model: bool = _flag(False, "load model.tflite where a version has one")
    enable_model_warmup: bool = _flag(True, "replay the warm-up requests a version brings along")
    enable_background_warmup: bool = _flag(
        False, "make a model available after its first warm-up request, replay the others later"
    )
    num_request_iterations_for_warmup: int = _flag(0, "how often; used above 0")
    enable_signature_method_name_check: bool = _flag(
        False, "refuse Classify and Regress where the signature's method_name is another"
    )
    enable_serialization_as_tensor_content: bool = _flag(
        False, "answer Predict in tensor_content whatever the form of the request"
    )
    enable_batching: bool = _flag(False, "run requests that wait at the same time together")
    batching_parameters_file: Path | None = _flag(None, "a BatchingParameters text proto")
    enable_per_model_batching_parameters: bool = _flag(
        False, "read batching_params.pbtxt beside a version's saved_model.pb"
    )
    monitoring_config_file: Path | None = _flag(
        None, "a MonitoringConfig text proto: where HTTP shows Prometheus metrics"
    )
    ssl_config_file: Path | None = _flag(None, "an SSLConfig text proto: TLS for gRPC")
    grpc_channel_arguments: str = _flag("", "of the gRPC server: key=value,key=value")
    grpc_transport: str = _flag(
        GRPCIO,
        f"the library of the gRPC server: {' or '.join(TRANSPORTS)}, which is pygrpc-native: less "
        "processor time a call, but one address and no TLS",
    )
    grpc_max_threads: int = _flag(
        _THREADS, "that work on gRPC requests; with batching at least 64, since they wait together"
    )
    enable_grpc_healthcheck_service: bool = _flag(
        False, "name the services as TensorFlow Serving does: health is always there"
    )
    enable_profiler: bool = _flag(True, "serve TensorFlow's ProfilerService on the gRPC port")
    tensorflow_session_config_file: Path | None = _flag(None, "a ConfigProto text proto")
    tensorflow_session_parallelism: int = _flag(
        0, "threads for one operation and for several; 0 chooses"
    )
    tensorflow_intra_op_parallelism: int = _flag(0, "threads for one operation; 0 chooses")
    tensorflow_inter_op_parallelism: int = _flag(0, "threads for several operations; 0 chooses")
    per_process_gpu_memory_fraction: float = _flag(
        0, "of the GPU's memory, 0 to 1; 0 lets TensorFlow choose"
    )
    platform_config_file: Path | None = _ignored(None, "the one platform here is tensorflow")
    num_load_threads: int = _flag(0, "versions that load at once; 0 for one a processor")
    num_unload_threads: int = _ignored(0, "every model has its own thread")
    num_tflite_pools: int = _ignored(0, "a TensorFlow Lite model runs one request at a time")
    num_tflite_interpreters_per_pool: int = _ignored(0, "see num_tflite_pools")
    flush_filesystem_caches: bool = _ignored(True, "the operating system frees its caches itself")
    remove_unused_fields_from_bundle_metagraph: bool = _ignored(
        False, "TensorFlow's Python loader keeps the graph"
    )
    xla_cpu_compilation_enabled: bool = _ignored(False, "set TF_XLA_FLAGS in the environment")
    xla_gpu_compilation_enabled: bool = _ignored(False, "set TF_XLA_FLAGS in the environment")
    thread_pool_factory_config_file: Path | None = _ignored(
        None, "TensorFlow's own pools run every request"
    )
    mixed_precision: str = _ignored(
        "", "bfloat16 slows down single images, see the README; export such a graph instead"
    )
    use_alts_credentials: bool = _ignored(False, "ALTS exists inside Google's cloud only")
    skip_initialize_tpu: bool = _ignored(False, "there is no TPU in the tensorflow wheel")


def parse_flags(arguments: Sequence[str]) -> Flags:
    """Reads the command line; a mistake in it is said on stderr and ends the process with 2."""
    parser = argparse.ArgumentParser(
        prog="python -m services.model_server",
        description="Serve TensorFlow SavedModels by TensorFlow Serving's protocol.",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,  # Keeps the lines of --version.
    )
    parser.add_argument(
        "--version", action="version", version=_versions(), help="say which, and end"
    )
    types = get_type_hints(Flags)
    for each in fields(Flags):
        _add(parser, each, types[each.name])
    flags = Flags(**vars(parser.parse_args(arguments)))
    if mistake := _mistake(flags):
        parser.error(mistake)
    return flags


def log_ignored(flags: Flags) -> None:
    """Says once of every flag that was set and means nothing here why that is so."""
    for each in fields(flags):
        if each.metadata["ignored"] and getattr(flags, each.name) != each.default:
            _log.warning("flag ignored", flag=f"--{each.name}", why=each.metadata["help"])


def _add(parser: argparse.ArgumentParser, each: Field[Any], kind: Any) -> None:
    text = ("ignored: " if each.metadata["ignored"] else "") + each.metadata["help"]
    default = "" if each.default in ("", None, ()) else f"; default {str(each.default).lower()}"
    # A bare `--flag` sets a boolean, as in TensorFlow's own parser.
    form: dict[str, Any] = {"nargs": "?", "const": True} if kind is bool else {}
    initial = each.default
    if kind == Sequence[str]:
        form, initial = {"action": "append"}, []
    reader = _port if each.name in ("port", "rest_api_port") else _READERS[kind]
    parser.add_argument(f"--{each.name}", type=reader, default=initial, help=text + default, **form)


def _mistake(flags: Flags) -> str | None:
    if not flags.port and not flags.grpc_socket_path:
        return "--port=0 leaves no way in for gRPC: give a port or a --grpc_socket_path"
    if flags.port and flags.port == flags.rest_api_port:
        return f"--rest_api_port cannot be same as --port, {flags.port}: give another one"
    if mistake := _transport_mistake(flags):
        return mistake
    if flags.batching_parameters_file and not flags.enable_batching:
        return "--batching_parameters_file is set without --enable_batching"
    if not flags.model_config_file and not flags.model_base_path:
        return "nothing to serve: give --model_config_file or --model_base_path"
    return _control_mistake(flags)


def _transport_mistake(flags: Flags) -> str | None:
    if flags.grpc_transport not in TRANSPORTS:
        return f"--grpc_transport={flags.grpc_transport}: expected {' or '.join(TRANSPORTS)}"
    if flags.grpc_transport == GRPCIO:
        return None
    if flags.ssl_config_file:
        return (
            f"--grpc_transport={flags.grpc_transport} has no TLS: leave out --ssl_config_file, or "
            f"give --grpc_transport={GRPCIO}"
        )
    if flags.port and flags.grpc_socket_path:
        return (
            f"--grpc_transport={flags.grpc_transport} listens on one address: leave out "
            f"--grpc_socket_path, or give --port=0 or --grpc_transport={GRPCIO}"
        )
    return None


def _control_mistake(flags: Flags) -> str | None:
    mode = flags.model_control_mode
    if mode not in ("none", "explicit"):
        return f"--model_control_mode={mode}: expected none or explicit"
    if flags.load_model and mode == "none":
        return "--load_model is set without --model_control_mode=explicit"
    if flags.model_config_file_poll_wait_seconds > 0 and mode == "explicit":
        return (
            "--model_config_file_poll_wait_seconds loads what the config file holds, but "
            "--model_control_mode=explicit what clients ask for: give one of them"
        )
    return None


def _versions() -> str:
    # Both wheels hold the same library; which one is installed depends on the machine.
    library = "tensorflow-cpu" if _is_installed("tensorflow-cpu") else "tensorflow"
    return f"Lectern ModelServer: {version('lectern')}\nTensorFlow Library: {version(library)}"


def _is_installed(distribution: str) -> bool:
    try:
        return bool(version(distribution))
    except ModuleNotFoundError:
        return False


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"received {text!r}, expected a port from 0 to 65535")
    return int(text)


def _bool(text: str) -> bool:
    values = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in values:
        raise argparse.ArgumentTypeError(f"received {text!r}, expected true or false")
    return values[text.lower()]


def _path(text: str) -> Path | None:
    return Path(text) if text else None


_READERS: dict[Any, Callable[[str], Any]] = {
    bool: _bool,
    float: float,
    int: int,
    str: str,
    Path | None: _path,
    Sequence[str]: str,
}
