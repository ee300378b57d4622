"""The command line, in TensorFlow Serving's spelling (`--flag=value`, underscores)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Flags:
    """What the command line says; names and defaults are those of `tensorflow_model_server`."""

    port: int
    rest_api_port: int
    model_config_file: Path | None
    model_name: str
    model_base_path: str
    file_system_poll_wait_seconds: float


def parse_flags(arguments: Sequence[str]) -> Flags:
    """Read the command line; a mistake in it is said on stderr and ends the process with 2."""
    parser = argparse.ArgumentParser(
        prog="python -m services.model_server",
        description="Serve TensorFlow SavedModels by TensorFlow Serving's protocol.",
        allow_abbrev=False,
    )
    parser.add_argument("--port", type=_port, default=8500, help="for gRPC; default %(default)s")
    parser.add_argument(
        "--rest_api_port", type=_port, default=0, help="for HTTP; default %(default)s, none"
    )
    parser.add_argument(
        "--model_config_file",
        type=Path,
        help="a ModelServerConfig text proto; goes before --model_name and --model_base_path",
    )
    parser.add_argument("--model_name", default="default", help="default %(default)s")
    parser.add_argument(
        "--model_base_path", default="", help="the folder that holds the version folders"
    )
    parser.add_argument(
        "--file_system_poll_wait_seconds",
        type=float,
        default=1,
        help="pause between two looks for new versions; 0 looks once, less than 0 never; "
        "default %(default)s",
    )
    flags = Flags(**vars(parser.parse_args(arguments)))
    if not flags.port:
        parser.error("--port=0 leaves no way in: give the gRPC port, 8500 by default")
    if not flags.model_config_file and not flags.model_base_path:
        parser.error("nothing to serve: give --model_config_file or --model_base_path")
    return flags


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"received {text!r}, expected a port from 0 to 65535")
    return int(text)
