"""The alerting rules: valid, with a section in the runbook, and raised by what they are about."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.k8s.manifests import K8S
from tests.k8s.promtool import Series, run_test

pytestmark = [pytest.mark.kubernetes, pytest.mark.usefixtures("prepared")]

RULES = sorted(K8S.glob("components/*/rules.yaml"))
ATTEMPTS = ":tensorflow:cc:saved_model:load_attempt_count"


def read(path: Path) -> Any:
    """Returns the groups of a PrometheusRule, in the form of Prometheus's own files."""
    return yaml.safe_load(path.read_text())["spec"]


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.parent.name)
def test_the_rules_are_valid_and_have_a_runbook(path: Path, tmp_path: Path) -> None:
    rules = read(path)
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))
    subprocess.run(["promtool", "check", "rules", tmp_path / "rules.yaml"], check=True)
    runbook = (K8S / "RUNBOOK.md").read_text()
    for group in rules["groups"]:
        for rule in group["rules"]:
            url, _, section = rule["annotations"]["runbook_url"].partition("#")
            assert url == "https://git.example.com/lectern/k8s/RUNBOOK.md"
            assert f"## {rule['alert']}\n" in runbook
            assert section == rule["alert"].lower()


def replicas(deployment: str, wanted: int, available: int) -> Series:
    labels = f'{{namespace="lectern",deployment="{deployment}"}}'
    return {
        f"kube_deployment_spec_replicas{labels}": f"{wanted}x30",
        f"kube_deployment_status_replicas_available{labels}": f"{available}x30",
    }


def up(job: str, value: int) -> Series:
    return {f'up{{namespace="lectern",job="{job}"}}': f"{value}x30"}


def loads(values: str) -> Series:
    labels = '{namespace="lectern",model_path="/models/cnn/2",status="%s"}'
    return {f"{ATTEMPTS}{labels % 'fail'}": values, f"{ATTEMPTS}{labels % 'success'}": "1x30"}


def gpu(metric: str, value: int) -> Series:
    return {f'DCGM_FI_DEV_{metric}{{namespace="lectern",pod="a"}}': f"{value}x120"}


@pytest.mark.parametrize(
    ("alert", "series", "labels"),
    [
        ("GatewayAbsent", {}, [{}]),
        ("GatewayAbsent", up("gateway", 0), [{}]),
        ("GatewayAbsent", up("gateway", 1), []),
        ("ModelServerAbsent", replicas("model-server", 2, 0), [{}]),
        ("ModelServerAbsent", replicas("model-server", 0, 0), []),
        ("ModelServerAbsent", up("model-server", 1), []),
        ("ReplicasMissing", replicas("gateway", 2, 1), [{"deployment": "gateway"}]),
        ("ReplicasMissing", replicas("gateway", 2, 2), []),
        # The counter's first value is a failure already, or it rises, or it rose long ago.
        ("ModelLoadFailed", loads("_x15 1x15"), [{"model_path": "/models/cnn/2"}]),
        ("ModelLoadFailed", loads("0x15 1x15"), [{"model_path": "/models/cnn/2"}]),
        ("ModelLoadFailed", loads("1x30"), []),
        ("ModelLoadFailed", {}, []),
        ("GPUError", gpu("XID_ERRORS", 79), [{"pod": "a"}]),
        ("GPUError", gpu("XID_ERRORS", 0), []),
        ("GPUHot", gpu("GPU_TEMP", 90), [{"pod": "a"}]),
        ("GPUIdle", gpu("GPU_UTIL", 1), [{}]),
        ("GPUIdle", gpu("GPU_UTIL", 50), []),
    ],
)
def test_alerts(alert: str, series: Series, labels: list[dict[str, str]], tmp_path: Path) -> None:
    groups = [group for path in RULES for group in read(path)["groups"]]
    [rule] = [rule for group in groups for rule in group["rules"] if rule["alert"] == alert]
    # Alerts that aggregate nothing keep the labels of their series.
    names = {"namespace": "lectern"} if alert in {"ReplicasMissing", "GPUError", "GPUHot"} else {}
    # The texts are not compared.
    del rule["annotations"]
    expected = [{"exp_labels": {**names, **rule["labels"], **own}} for own in labels]
    minutes = "90m" if alert == "GPUIdle" else "20m"
    case = {"alertname": alert, "eval_time": minutes, "exp_alerts": expected}
    rules = {"groups": [{"name": "lectern", "rules": [rule]}]}
    run_test(tmp_path, series, {"alert_rule_test": [case]}, rules)
