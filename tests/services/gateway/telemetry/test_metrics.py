from __future__ import annotations

import re
from pathlib import Path

from prometheus_client import Counter, Histogram

from services.gateway.telemetry import metrics

README = (Path(metrics.__file__).parents[1] / "README.md").read_text()


def test_the_readme_names_every_metric_and_its_labels():
    rows = re.findall(r"^\| `(\w+)` \| ([\w, ]+) \|", README, re.MULTILINE)
    documented = {name: tuple(labels.split(", ")) for name, labels in rows}
    real = {
        f"{metric._name}_total" if isinstance(metric, Counter) else metric._name: metric._labelnames
        for metric in vars(metrics).values()
        if isinstance(metric, Counter | Histogram)
    }
    assert documented == real


def test_the_exposition_is_prometheus_text():
    body, content_type = metrics.exposition()
    assert content_type.startswith("text/plain")
    for name in ("http_requests_total", "model_batch_size", "model_request_duration_seconds"):
        assert f"# TYPE {name.removesuffix('_total')}".encode() in body
