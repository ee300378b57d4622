from __future__ import annotations

import multiprocessing

from services.gateway.process.balance import ConnectionCounts


def test_the_worker_with_the_fewest_connections_accepts():
    counts = ConnectionCounts(4)
    counts.record(0, 3)
    assert counts.is_most_idle(0)  # There is no other one.
    counts.record(2, 2)
    assert not counts.is_most_idle(0)
    assert counts.is_most_idle(2)
    counts.record(2, 3)
    assert counts.is_most_idle(0)
    assert counts.is_most_idle(2)
    counts.record(0, 4)
    counts.remove(2)
    assert counts.is_most_idle(0)


def test_processes_see_the_counts_of_one_another():
    counts = ConnectionCounts(2)
    counts.record(0, 1)
    process = multiprocessing.get_context("fork").Process(target=counts.record, args=(1, 0))
    process.start()
    process.join()
    assert not counts.is_most_idle(0)
