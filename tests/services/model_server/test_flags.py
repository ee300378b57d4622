"""The command line in TensorFlow Serving's spelling."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.model_server.flags import Flags, parse_flags


def test_defaults_are_tensorflow_servings() -> None:
    assert parse_flags(["--model_base_path=/m"]) == Flags(
        port=8500,
        rest_api_port=0,
        model_config_file=None,
        model_name="default",
        model_base_path="/m",
        file_system_poll_wait_seconds=1,
    )


def test_all_flags() -> None:
    flags = parse_flags(
        [
            "--port=1",
            "--rest_api_port=2",
            "--model_config_file=models/models.config",
            "--model_name=m",
            "--file_system_poll_wait_seconds=-1",
        ]
    )
    assert flags.model_config_file == Path("models/models.config")
    assert (flags.port, flags.rest_api_port, flags.model_name) == (1, 2, "m")
    assert flags.file_system_poll_wait_seconds == -1


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
    ],
)
def test_a_mistake_is_named(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse_flags(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
