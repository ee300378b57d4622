from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest
import requests
from prometheus_client.mmap_dict import MmapedDict

from services.gateway.telemetry.value_files import ReservedValues
from tests.processes import wait_until
from tests.services.gateway.disk import fill
from tests.services.gateway.gateway_process import TIMEOUT, address, predict, started


def stored(file: Path) -> dict[str, float]:
    return {key: value for key, value, _, _ in MmapedDict.read_all_values_from_file(str(file))}


def test_values_are_stored_in_the_clients_format(tmp_path):
    file = tmp_path / "counter_1.db"
    values = ReservedValues(str(file))
    assert values.read_value("a") == (0.0, 0.0)
    values.write_value("a", 1.5, 3.0)
    values.close()
    again = ReservedValues(str(file))
    assert again.read_value("a") == (1.5, 3.0)
    again.close()
    assert stored(file) == {"a": 1.5}
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_grows_with_its_space_reserved(tmp_path):
    file = tmp_path / "counter_1.db"
    values = ReservedValues(str(file))
    expected = {f"{number:0100}": float(number) for number in range(3000)}
    for key, value in expected.items():
        values.write_value(key, value, 0.0)
        assert os.stat(file).st_blocks * 512 >= os.stat(file).st_size
    values.close()
    assert stored(file) == expected


def test_values_without_space_are_written_once_there_is_some(disk):
    file = disk / "counter_1.db"
    values = ReservedValues(str(file))
    filler = fill(disk)
    values.write_value("a", 1.0, 0.0)
    assert values.read_value("a") == (0.0, 0.0)
    assert list(disk.iterdir()) == [filler]
    filler.unlink()
    values.write_value("a", 2.0, 0.0)
    values.close()
    assert stored(file) == {"a": 2.0}


def test_a_file_that_cannot_grow_goes_on_with_what_it_has(disk):
    file = disk / "counter_1.db"
    values = ReservedValues(str(file))
    values.write_value("a", 1.0, 0.0)
    filler = fill(disk)
    for number in range(1000):
        values.write_value(f"{number:0100}", 1.0, 0.0)
    values.write_value("a", 2.0, 0.0)
    kept = stored(file)
    assert kept["a"] == 2.0
    assert 100 < len(kept) < 1000
    filler.unlink()
    for number in range(1000):
        values.write_value(f"{number:0100}", 2.0, 0.0)
    values.close()
    assert set(stored(file).values()) == {2.0}
    assert len(stored(file)) == 1001


@pytest.mark.parametrize("full_from_the_start", [True, False])
def test_a_full_disk_costs_metrics_and_no_request(fake, disk, full_from_the_start):
    with started(fake, TMPDIR=str(disk)) as gateway:
        url = address(gateway)
        if not full_from_the_start:
            assert predict(url).ok
        filler = fill(disk)
        # The port is open before the worker is there.
        assert requests.get(f"{url}/livez", timeout=TIMEOUT).ok
        [worker] = psutil.Process(gateway.process.pid).children()
        for _ in range(5):
            for path in ("livez", "metrics", "v1/models", "nope"):
                answer = requests.get(f"{url}/{path}", timeout=TIMEOUT)
                assert answer.status_code == (404 if path == "nope" else 200)
            assert predict(url).ok
        assert worker.is_running()
        filler.unlink()

        def counted() -> bool:
            assert predict(url).ok
            lines = requests.get(f"{url}/metrics", timeout=TIMEOUT).text.splitlines()
            start = 'http_requests_total{method="POST",model="classifier"'
            [count] = [float(line.split()[-1]) for line in lines if line.startswith(start)]
            return count >= 6

        wait_until(counted, TIMEOUT, "what was kept in memory is told")
        assert gateway.stop() == 0
        assert gateway.output.count("stay in memory") <= 3
        assert "Traceback" not in gateway.output
