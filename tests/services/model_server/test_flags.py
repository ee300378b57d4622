"""The command line in TensorFlow Serving's spelling."""

from __future__ import annotations

import os
import re
from dataclasses import asdict
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.model_server.flags import log_ignored, parse_flags

THREADS = 4 * (os.cpu_count() or 1)


# As `tensorflow_model_server --help` lists them, with their defaults in its source.
TENSORFLOW_SERVINGS: dict[str, object] = {
    "port": 8500,
    "grpc_socket_path": "",
    "rest_api_port": 0,
    "rest_api_num_threads": THREADS,
    "rest_api_timeout_in_ms": 30000,
    "rest_api_enable_cors_support": False,
    "enable_batching": False,
    "allow_version_labels_for_unavailable_models": False,
    "batching_parameters_file": None,
    "enable_per_model_batching_parameters": False,
    "model_config_file": None,
    "model_config_file_poll_wait_seconds": 0,
    "model_name": "default",
    "model_base_path": "",
    "num_load_threads": 0,
    "num_unload_threads": 0,
    "max_num_load_retries": 5,
    "load_retry_interval_micros": 60_000_000,
    "file_system_poll_wait_seconds": 1,
    "flush_filesystem_caches": True,
    "tensorflow_session_parallelism": 0,
    "tensorflow_session_config_file": None,
    "tensorflow_intra_op_parallelism": 0,
    "tensorflow_inter_op_parallelism": 0,
    "use_alts_credentials": False,
    "ssl_config_file": None,
    "platform_config_file": None,
    "per_process_gpu_memory_fraction": 0,
    "saved_model_tags": "serve",
    "grpc_channel_arguments": "",
    "grpc_max_threads": THREADS,
    "enable_model_warmup": True,
    "num_request_iterations_for_warmup": 0,
    "monitoring_config_file": None,
    "remove_unused_fields_from_bundle_metagraph": False,
    "prefer_tflite_model": False,
    "num_tflite_pools": 0,
    "num_tflite_interpreters_per_pool": 0,
    "enable_signature_method_name_check": False,
    "xla_cpu_compilation_enabled": False,
    "xla_gpu_compilation_enabled": False,
    "enable_profiler": True,
    "thread_pool_factory_config_file": None,
    "mixed_precision": "",
    "skip_initialize_tpu": False,
    "enable_grpc_healthcheck_service": False,
    "enable_serialization_as_tensor_content": False,
}


OURS = {
    "enable_background_warmup": False,
    "grpc_transport": "grpcio",
    "load_model": [],
    "model_control_mode": "none",
    "rest_api_max_body_bytes": 2**26,
    "rest_api_max_json_values": 10_000_000,
}


def test_flags_and_defaults_are_tensorflow_servings() -> None:
    expected = TENSORFLOW_SERVINGS | OURS | {"model_base_path": "/m"}
    assert asdict(parse_flags(["--model_base_path=/m"])) == expected


@pytest.mark.parametrize(
    ("argument", "name", "value"),
    [
        ("--port=1", "port", 1),
        ("--model_config_file=models.config", "model_config_file", Path("models.config")),
        ("--file_system_poll_wait_seconds=-1", "file_system_poll_wait_seconds", -1),
        ("--per_process_gpu_memory_fraction=0.5", "per_process_gpu_memory_fraction", 0.5),
        ("--enable_batching", "enable_batching", True),
        ("--rest_api_enable_cors_support=true", "rest_api_enable_cors_support", True),
        ("--enable_batching=true", "enable_batching", True),
        ("--enable_model_warmup=false", "enable_model_warmup", False),
        ("--enable_model_warmup=0", "enable_model_warmup", False),
        ("--saved_model_tags=serve,gpu", "saved_model_tags", "serve,gpu"),
    ],
)
def test_values_are_read(argument: str, name: str, value: object) -> None:
    assert getattr(parse_flags(["--model_base_path=/m", argument]), name) == value


def test_models_to_load_are_named_one_by_one() -> None:
    flags = ["--model_base_path=/m", "--model_control_mode=explicit"]
    assert parse_flags([*flags, "--load_model=a", "--load_model=b"]).load_model == ["a", "b"]


def test_version_names_both(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse_flags(["--version"])
    assert caught.value.code == 0
    assert re.fullmatch(
        r"Lectern ModelServer: [\d.]+\nTensorFlow Library: 2\.\d+\.\d+\n",
        capsys.readouterr().out,
    )


def test_help_lists_every_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse_flags(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert [name for name in TENSORFLOW_SERVINGS if f"--{name}" not in text] == []


def test_a_flag_that_means_nothing_says_so_once_when_it_is_set() -> None:
    with capture_logs() as logs:
        log_ignored(parse_flags(["--model_base_path=/m", "--port=1"]))
    assert logs == []
    with capture_logs() as logs:
        log_ignored(parse_flags(["--model_base_path=/m", "--num_unload_threads=4"]))
    [entry] = logs
    assert (entry["event"], entry["flag"]) == ("flag ignored", "--num_unload_threads")
    assert entry["why"] == "every model has its own thread"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model_base_path=/m", "--no_such_flag=1"], "unrecognized arguments: --no_such_flag=1"),
        # An abbreviation would silently change its meaning when a flag is added.
        (["--model_base=/m"], "unrecognized arguments: --model_base=/m"),
        ([], "nothing to serve: give --model_config_file or --model_base_path"),
        (["--model_base_path=/m", "--port=x"], "received 'x', expected a port from 0 to 65535"),
        (["--model_base_path=/m", "--port=70000"], "received '70000'"),
        (["--model_base_path=/m", "--port=0"], "--port=0 leaves no way in"),
        (["--model_base_path=/m", "--rest_api_port=8500"], "cannot be same as --port"),
        (["--model_base_path=/m", "--enable_batching=yes"], "expected true or false"),
        (
            ["--model_base_path=/m", "--batching_parameters_file=b.pbtxt"],
            "--batching_parameters_file is set without --enable_batching",
        ),
        (["--model_base_path=/m", "--model_control_mode=poll"], "expected none or explicit"),
        (["--model_base_path=/m", "--grpc_transport=rust"], "expected grpcio or native"),
        (
            ["--model_base_path=/m", "--grpc_transport=native", "--ssl_config_file=s"],
            "--grpc_transport=native has no TLS: leave out --ssl_config_file",
        ),
        (
            ["--model_base_path=/m", "--grpc_transport=native", "--grpc_socket_path=s"],
            "--grpc_transport=native listens on one address: leave out --grpc_socket_path",
        ),
        (["--model_base_path=/m", "--load_model=a"], "without --model_control_mode=explicit"),
        (
            [
                "--model_config_file=m",
                "--model_config_file_poll_wait_seconds=1",
                "--model_control_mode=explicit",
            ],
            "give one of them",
        ),
    ],
)
def test_a_mistake_is_named(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse_flags(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
