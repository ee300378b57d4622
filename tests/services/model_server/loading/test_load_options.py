"""The session that the flags ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.model_server.loading.load_options import LoadOptions, make_session_config
from services.serving_api.text_proto import ConfigError


def test_by_default_tensorflow_chooses_and_memory_grows() -> None:
    config = make_session_config(None)
    assert config.intra_op_parallelism_threads == config.inter_op_parallelism_threads == 0
    assert config.gpu_options.allow_growth


def test_one_flag_for_both_pools_and_one_for_each() -> None:
    both = make_session_config(None, session_parallelism=4, inter_op_parallelism=2)
    assert both.intra_op_parallelism_threads == 4
    assert both.inter_op_parallelism_threads == 2


def test_a_fraction_of_the_gpu() -> None:
    options = make_session_config(None, gpu_memory_fraction=0.25).gpu_options
    assert options.per_process_gpu_memory_fraction == 0.25
    assert not options.allow_growth


def test_flags_go_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "session.config"
    path.write_text("intra_op_parallelism_threads: 3 inter_op_parallelism_threads: 5")
    config = make_session_config(path, intra_op_parallelism=7)
    assert (config.intra_op_parallelism_threads, config.inter_op_parallelism_threads) == (7, 5)


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "session.config"
    path.write_text("threads: 3")
    with pytest.raises(ConfigError, match=r"Error parsing text-format tensorflow\.ConfigProto"):
        make_session_config(path)


@pytest.mark.parametrize(
    "given",
    [
        {"session_parallelism": 2},
        {"intra_op_parallelism": 2},
        {"inter_op_parallelism": 2},
        {"path": "use_per_session_threads: true"},
    ],
    ids=lambda given: next(iter(given)),
)
def test_threads_that_are_given_are_not_chosen(tmp_path: Path, given: dict[str, Any]) -> None:
    path = None
    if "path" in given:
        path = tmp_path / "session.config"
        path.write_text(given["path"])
    numbers = {name: value for name, value in given.items() if name != "path"}
    assert not LoadOptions(session_config=make_session_config(path, **numbers)).leaves_threads_open
    assert LoadOptions(session_config=make_session_config(None)).leaves_threads_open
