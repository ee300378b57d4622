"""The model repository, `models/NAME/VERSION`, as TensorFlow Serving reads it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from training.errors import ModelRepositoryError

CONFIG_NAME = "models.config"
# Model servers in containers mount the repository here.
MOUNT_POINT = "/models"


def versions(models: Path, name: str) -> list[int]:
    """Returns the versions of a model, oldest first; empty if the model does not exist."""
    folder = models / name
    if not folder.is_dir():
        return []
    return sorted(int(child.name) for child in folder.iterdir() if child.name.isdecimal())


def latest_version(models: Path, name: str) -> Path:
    """Returns the folder of the latest version of a model.

    Raises:
        ModelRepositoryError: The model has no version.
    """
    found = versions(models, name)
    if not found:
        raise ModelRepositoryError(
            f"{models / name} contains no version of a model; expected a folder such as "
            f"{models / name / '1'}. Train one with `python -m training train {name}`."
        )
    return models / name / str(found[-1])


def publish(models: Path, name: str, write: Callable[[Path], None]) -> Path:
    """Adds the next version of a model atomically.

    Args:
        models: The repository.
        name: Name of the model.
        write: Writes the files of the version into an empty folder.

    Returns:
        The folder of the new version.
    """
    folder = models / name
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        # Model servers ignore names that are not numbers. A killed process may have left one.
        partial = folder / ".partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            write(partial)
            return partial.rename(folder / str(max(versions(models, name), default=0) + 1))
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def register(models: Path, name: str) -> None:
    """Adds a model to `models.config` in the repository, if it is not listed yet.

    Raises:
        ModelRepositoryError: The file is not a ModelServerConfig in protobuf text format.
    """
    path = models / CONFIG_NAME
    config = model_server_config_pb2.ModelServerConfig()
    try:
        text_format.Parse(path.read_text() if path.exists() else "", config)
    except text_format.ParseError as error:
        raise ModelRepositoryError(
            f"{path} is not a ModelServerConfig in protobuf text format: {error}. Correct it, or "
            f"delete it to have it written again."
        ) from error
    entries = config.model_config_list.config
    if name in (entry.name for entry in entries):
        return
    entries.add(name=name, base_path=f"{MOUNT_POINT}/{name}", model_platform="tensorflow")
    draft = path.with_suffix(".partial")
    draft.write_text(text_format.MessageToString(config))
    draft.replace(path)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Locks the folder against other publishing processes; the lock ends with the process."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
