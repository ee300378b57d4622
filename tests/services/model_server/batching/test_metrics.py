"""Batching on the page of metrics."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from services.model_server.batching.batched_servable import BatchingServable
from services.model_server.inference.metrics import Metrics
from tests.services.model_server.doubler import SECONDS, Doubler, batched, wait_for

SESSION = ":tensorflow:serving:batching_session:"
VERSION = 'model="doubler",version="1"'


def ask(servable: BatchingServable, rows: int) -> None:
    servable.run("double", {"x": np.ones(rows, np.float32)}, ["y"])


def samples(metrics: Metrics) -> dict[str, float]:
    lines = [line for line in metrics.page().decode().splitlines() if line[0] != "#"]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_sizes_padding_and_runs() -> None:
    metrics = Metrics()
    servable = batched(Doubler(), metrics.batching, max_batch_size=8, allowed_batch_sizes=(4, 8))
    for rows in (3, 5):
        ask(servable, rows)
    page = metrics.page().decode()
    for line in (
        f"# TYPE {SESSION}wrapped_run_count counter",
        f"{SESSION}wrapped_run_count 2.0",
        f"{SESSION}input_batch_size_sum 8.0",
        f"{SESSION}processed_batch_size_sum 12.0",
        f'{SESSION}processed_batch_size_bucket{{le="4.0"}} 1.0',
        f'{SESSION}padding_size_sum{{execution_batch_size="4"}} 1.0',
        f'{SESSION}padding_size_sum{{execution_batch_size="8"}} 3.0',
        f'{SESSION}queuing_latency_count{{thread_pool_name=""}} 2.0',
        'lectern_batch_size_sum{model="doubler",signature="double",version="1"} 8.0',
    ):
        assert line in page


def test_the_queue_is_as_deep_as_requests_wait() -> None:
    metrics = Metrics()
    doubler = Doubler()
    servable = batched(doubler, metrics.batching, max_batch_size=2)
    depth = f"lectern_batch_queue_depth{{{VERSION}}}"
    assert samples(metrics)[depth] == 0
    doubler.may_go_on.clear()
    with ThreadPoolExecutor(4) as pool:
        pool.submit(ask, servable, 2)
        assert doubler.running.acquire(timeout=SECONDS)
        for _ in range(3):
            pool.submit(ask, servable, 2)
        wait_for(lambda: samples(metrics)[depth] == 3)
        doubler.may_go_on.set()
    assert samples(metrics)[depth] == 0
    servable.close()
    assert depth not in samples(metrics)


def test_time_in_the_queue_is_told_by_the_pools_name() -> None:
    metrics = Metrics()
    servable = batched(
        Doubler(), metrics.batching, thread_pool_name="pool", batch_timeout_micros=20_000
    )
    ask(servable, 1)
    micros = samples(metrics)[f'{SESSION}queuing_latency_sum{{thread_pool_name="pool"}}']
    assert 20_000 <= micros < SECONDS * 1e6
