"""`lectern check`: shows the tasks of an exported model, their costs, and the missing tasks."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from training.errors import ModelRepositoryError
from training.exporting.session import SessionModel
from training.exporting.warmup import read_warmup_requests

_TASKS = {
    "predict": "serving_default",
    "predict from files": "predict_bytes",
    "labels": "class_labels",
    "saliency": "saliency_",
    "activations": "activations",
    "visualize": "feature_visualization_",
    "generate": "generate",
    "compress": "compress",
    "decompress": "decompress",
}
_RUNS = 3


def check_model(console: Console, folder: Path) -> None:
    """Prints the signatures of a version with their inputs, memory and latency.

    Args:
        console: The console to print to.
        folder: The folder of a version, or of a model, of which the latest version is checked.

    Raises:
        ModelRepositoryError: The folder contains no SavedModel.
    """
    version = _find_version(folder)
    before = psutil.Process().memory_info().rss
    with SessionModel(version) as model:
        examples = read_warmup_requests(version)
        table = Table("signature", "inputs", "outputs", "ms", title=str(version))
        for name in sorted(model.signatures):
            inputs, outputs = model.describe(name)
            example = examples.get(name)
            latency = f"{_milliseconds(model, name, example):.1f}" if example else "no warm-up"
            table.add_row(name, inputs, outputs, latency)
        console.print(table)
        used = (psutil.Process().memory_info().rss - before) / 2**20
        console.print(f"Memory of the version, all signatures warm: {used:.0f} MiB.")
        missing = [task for task, name in _TASKS.items() if not _carries(model, name)]
    if missing:
        console.print(
            f"It has no {', '.join(missing)}. `lectern export` writes every task that a Keras "
            "model's layers allow, and says why it leaves out the others.",
            highlight=False,
        )
    if "saliency" in missing:
        console.print(
            "If it classifies images, the gateway explains it from outside: "
            f"lectern explain {version.parent.name} photo.jpg --method occlusion",
            highlight=False,
        )


def _find_version(folder: Path) -> Path:
    if (folder / "saved_model.pb").is_file():
        return folder
    versions = [int(each.name) for each in folder.glob("*") if each.name.isdecimal()]
    if not versions:
        raise ModelRepositoryError(
            f"{folder} holds no SavedModel and no version of one; expected a folder such as "
            "models/flowers or models/flowers/1."
        )
    return folder / str(max(versions))


def _carries(model: SessionModel, name: str) -> bool:
    return any(
        each.startswith(name) if name.endswith("_") else each == name for each in model.signatures
    )


def _milliseconds(model: SessionModel, name: str, inputs: dict[str, object]) -> float:
    model.run(name, **inputs)
    times = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        model.run(name, **inputs)
        times.append(time.perf_counter() - start)
    return 1000 * min(times)
