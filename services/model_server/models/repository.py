"""Finds the versions of a model on disk that should be served.

Source: tensorflow_serving/sources/storage_path/file_system_storage_path_source.cc.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import structlog

from services.model_server.config.model_config import ModelConfig

_log = structlog.get_logger(__name__)

_INT64 = re.compile(r"[+-]?\d+", re.ASCII)


def find_versions(model: ModelConfig) -> dict[int, Path]:
    """Returns the version folders that the model's version policy asks for, by version.

    Raises:
        OSError: the base path does not exist or cannot be listed. That is no statement about
            the versions: a storage that is gone for a moment must unload nothing.
    """
    versions = _all_versions(local_path(model.base_path))
    policy = model.model_version_policy
    match policy.WhichOneof("policy_choice"):
        case "all":
            return versions
        case "specific":
            return {
                version: versions[version]
                for version in policy.specific.versions
                if version in versions
            }
        case _:
            number = max(policy.latest.num_versions, 1)
            return {version: versions[version] for version in sorted(versions)[-number:]}


def local_path(base_path: str) -> Path:
    """Returns the folder that a base path names, as a path or as a `file://` URL.

    Raises:
        OSError: The base path is the URL of a remote store.
    """
    scheme, is_url, path = base_path.partition("://")
    if not is_url:
        return Path(base_path)
    if scheme != "file":
        raise OSError(
            f"received {base_path!r}, expected a local folder or a file:// URL: this server reads "
            "no remote store, so mount it or copy the model"
        )
    return Path(path)


def _all_versions(base_path: Path) -> dict[int, Path]:
    versions: dict[int, Path] = {}
    for child in sorted(child for child in base_path.iterdir() if child.is_dir()):
        name = child.name.strip()
        if not _INT64.fullmatch(name) or not -(2**63) <= int(name) < 2**63:
            continue
        kept = versions.setdefault(int(name), child)
        if kept != child:
            _warn_of_duplicate(int(name), kept, child)
    return versions


@lru_cache
def _warn_of_duplicate(version: int, kept: Path, ignored: Path) -> None:
    """Says it once, not at every look."""
    _log.warning(
        "Duplicate version directories detected",
        version=version,
        loaded_from=str(kept),
        ignored=str(ignored),
    )
