from __future__ import annotations

import pytest

from tests.cluster.kubectl import ClusterError, check_cluster


def test_without_a_cluster_the_error_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)

    with pytest.raises(ClusterError, match=r"KUBECONFIG is not set.*kind create cluster"):
        check_cluster()
