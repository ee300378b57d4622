"""The training manifests: trials of a sweep, and the cluster of workers."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
from optuna.trial import TrialState

from tests.k8s.manifests import K8S, jobs, of_kind, render
from tests.training.tiny import checksums, write_dataset
from training.data import fashion_mnist as data
from training.fitting.sweep import Sweep
from training.zoo import find_network

NETWORK = "logistic_regression"


def test_trials_of_a_sweep_are_recorded_like_those_of_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dataset(tmp_path / "data")
    monkeypatch.setattr(data, "SHA256", checksums(tmp_path / "data"))
    splits = data.load_training(tmp_path / "data")
    monkeypatch.setattr(data, "load_training", lambda _folder: splits)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NETWORK", NETWORK)
    monkeypatch.setenv("PRESET", "quick")

    for index in range(2):
        monkeypatch.setenv("JOB_COMPLETION_INDEX", str(index))
        runpy.run_path(str(K8S / "training/sweep/trial.py"))

    folder = Path("runs") / f"sweep-{NETWORK}"
    study = Sweep(NETWORK, find_network(NETWORK).recipe("quick"), splits, folder).study()
    trials = study.get_trials(states=[TrialState.COMPLETE])
    assert len({trial.params["learning_rate"] for trial in trials}) == 2


@pytest.mark.kubernetes
@pytest.mark.usefixtures("prepared")
def test_workers_have_each_others_addresses() -> None:
    manifests = render(K8S / "training/multi-worker")
    [job_set] = of_kind(manifests, "JobSet")
    [job] = jobs(manifests)
    [container] = job["spec"]["template"]["spec"]["containers"]
    # JOBSET-JOB-JOBINDEX-PODINDEX.SUBDOMAIN: https://jobset.sigs.k8s.io/docs/reference/jobset.v1alpha2
    name, subdomain = job_set["metadata"]["name"], job_set["spec"]["network"]["subdomain"]
    [port] = [port["containerPort"] for port in container["ports"]]
    pods = range(job["spec"]["completions"])
    [template] = [item["value"] for item in container["env"] if item["name"] == "TF_CONFIG"]

    for index in pods:
        content = json.loads(template.replace("$(WORKER)", str(index)))
        assert content["task"] == {"type": "worker", "index": index}
        assert content["cluster"]["worker"] == [
            f"{name}-worker-0-{pod}.{subdomain}:{port}" for pod in pods
        ]
