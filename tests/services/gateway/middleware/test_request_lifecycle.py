from __future__ import annotations

import time

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.gateway.middleware.request_lifecycle import begin_context
from services.gateway.request.context import RequestContext
from services.gateway.request.environ import ARRIVAL, REFUSED
from tests.services.gateway.images import PNG
from tests.services.gateway.problems import assert_problem

PREDICT = "/v1/models/classifier:predict"
HALF = "/v1/models/half_plus_two:predict"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def count(**labels: str) -> float:
    return REGISTRY.get_sample_value("http_requests_total", labels) or 0.0


def routes() -> set[str]:
    return {
        sample.labels["route"]
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if "route" in sample.labels
    }


def test_requests_are_counted_by_template_status_and_model(client):
    labels = {
        "method": "POST",
        "route": "/v1/models/<model>/versions/<int64:version>:predict",
        "status": "200",
        "model": "classifier",
        "version": "1",
        "task": "predict",
    }
    before = count(**labels)
    client.post("/v1/models/classifier/versions/1:predict", data=PNG)
    assert count(**labels) == before + 1
    duration = {name: labels[name] for name in ("method", "route", "model")}
    assert REGISTRY.get_sample_value("http_request_duration_seconds_count", duration) >= 1


def test_the_wait_for_a_thread_is_part_of_the_time_of_a_request(client):
    labels = {"method": "GET", "route": "/livez", "model": ""}

    def seconds() -> float:
        name = "http_request_duration_seconds_sum"
        return REGISTRY.get_sample_value(name, labels) or 0.0

    before = seconds()
    client.get("/livez", environ_base={ARRIVAL: time.monotonic() - 3})
    assert 3 <= seconds() - before < 6


def test_made_up_names_make_no_time_series(client):
    nothing = {"model": "", "version": ""}
    series = {
        "route": "/v1/models/<model>:predict",
        "method": "POST",
        "status": "404",
        "task": "predict",
        **nothing,
    }
    before = count(**series)
    for number in range(5):
        client.post(f"/v1/models/made-up-{number}:predict", data=PNG)
        client.open(f"/made-up-{number}", method=f"MADE-UP-{number}")
    assert count(**series) == before + 5
    unmatched = {"route": "<unmatched>", "method": "<other>", "status": "404", "task": ""}
    assert count(**unmatched, **nothing) >= 5
    assert not [route for route in routes() if "made-up" in route]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/models/{}:predict"),
        ("POST", "/v1/models/{}:saliency"),
        ("POST", "/v1/models/{}:classify"),
        ("GET", "/v1/models/{}"),
        ("GET", "/v1/models/{}/metadata"),
        ("GET", "/v1/models/{}/card"),
        ("GET", "/v2/models/{}"),
        ("GET", "/v2/models/{}/ready"),
        ("POST", "/v2/models/{}/infer"),
        ("POST", "/v1/models/classifier/labels/{}:predict"),
    ],
)
def test_only_models_that_there_are_become_labels(client, method, path):
    assert client.open(path.format("invented"), method=method, data=PNG).status_code >= 400
    labels = [
        sample.labels
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if "model" in sample.labels
    ]
    assert labels
    assert not [each for each in labels if "invented" in each.values()]


def test_an_inference_of_the_other_protocol_is_a_task_too(client):
    labels = {
        "method": "POST",
        "route": "/v2/models/<model>/infer",
        "status": "200",
        "model": "half_plus_two",
        "version": "1",
        "task": "infer",
    }
    before = count(**labels)
    tensor = {"name": "x", "shape": [1], "datatype": "FP32", "data": [4]}
    client.post("/v2/models/half_plus_two/infer", json={"inputs": [tensor]})
    assert count(**labels) == before + 1


def test_the_status_of_a_version_is_no_task(client):
    labels = {
        "method": "GET",
        "route": "/v1/models/<model>/versions/<int64:version>",
        "status": "200",
        "model": "classifier",
        "version": "",
        "task": "",
    }
    before = count(**labels)
    client.get("/v1/models/classifier/versions/1")
    assert count(**labels) == before + 1


def test_calls_to_the_model_server_are_measured_apart(client, fake):
    labels = {"model": "classifier", "signature": "serving_default"}

    def calls(version: str, code: str) -> float:
        series = {**labels, "version": version, "code": code}
        return REGISTRY.get_sample_value("model_requests_total", series) or 0.0

    answered, failed = calls("1", "OK"), calls("", "UNAVAILABLE")
    assert client.post(PREDICT, data=PNG).status_code == 200
    assert calls("1", "OK") == answered + 1
    assert REGISTRY.get_sample_value("model_request_duration_seconds_count", labels) >= 1
    fake.stop()
    assert client.post(PREDICT, data=PNG).status_code == 503
    assert calls("", "UNAVAILABLE") == failed + 1


def test_metrics_do_not_count_themselves(client):
    client.get("/metrics")
    assert "/metrics" not in routes()


def test_a_well_formed_request_id_is_kept(client):
    response = client.get("/livez", headers={"X-Request-Id": "abc-1.2_3"})
    assert response.headers["X-Request-Id"] == "abc-1.2_3"


@pytest.mark.parametrize("received", ["", "a b", "a\tb", "x" * 65, "ü", '"}'])
def test_any_other_request_id_is_replaced(client, received):
    response = client.get("/nope", headers={"X-Request-Id": received})
    assert len(response.headers["X-Request-Id"]) == 32


def test_a_request_is_one_log_line(client):
    with capture_logs() as lines:
        client.post(f"{PREDICT}?top=1", data=PNG)
    (line,) = [line for line in lines if line["event"] == "request"]
    assert line["log_level"] == "info"
    assert (line["method"], line["path"], line["status"]) == ("POST", PREDICT, 200)
    assert line["model"] == "classifier"
    assert line["milliseconds"] > 0


def test_a_path_cannot_break_a_log_line(client):
    with capture_logs() as lines:
        client.get("/a%0Aforged")
    (line,) = [line for line in lines if line["event"] == "request"]
    assert line["path"] == "/a%0Aforged"


def test_a_log_line_names_the_trace(client):
    trace = "0af7651916cd43dd8448eb211c80319c"
    with capture_logs() as lines:
        client.get("/v1/models", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
        client.get("/v1/models")
    assert [line.get("trace_id") for line in lines] == [trace, None]


def test_probes_are_quiet(client):
    with capture_logs() as lines:
        client.get("/livez")
    assert [line["log_level"] for line in lines] == ["debug"]


@pytest.mark.parametrize("path", ["/", "/livez", "/nope", "/v1/models", "/metrics"])
def test_every_answer_says_what_a_browser_may_do_with_it(client, path):
    with client.get(path) as response:
        headers = response.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "object-src 'none'" in headers["Content-Security-Policy"]


def test_a_server_that_does_not_tell_the_arrival_hands_requests_over_at_once():
    context = begin_context({}, 5)
    assert abs(context.arrival - time.monotonic()) < 1
    assert context.deadline == context.arrival + 5


def test_time_spent_queueing_counts_toward_the_deadline():
    context = begin_context({ARRIVAL: 5.0}, 2)
    assert (context.arrival, context.deadline) == (5.0, 7.0)


def test_a_request_that_the_server_has_no_thread_for_is_refused(client):
    response = client.post(HALF, json={"inputs": [2]}, environ_base={REFUSED: True})
    assert_problem(response, 503, "too many requests are waiting")
    assert int(response.headers["Retry-After"]) > 0


def test_a_request_that_waited_too_long_is_not_sent_on(client, fake):
    environ = {ARRIVAL: time.monotonic() - 3600}
    response = client.post(HALF, json={"inputs": [2]}, environ_base=environ)
    assert_problem(response, 504, "the deadline of this request has passed")
    assert fake.requests == []


def test_the_trace_of_a_request_reaches_the_model_server(client, fake):
    headers = {"traceparent": PARENT, "tracestate": "vendor=value"}
    client.post(HALF, json={"inputs": [2]}, headers=headers)
    assert fake.metadata[-1]["traceparent"] == PARENT
    assert fake.metadata[-1]["tracestate"] == "vendor=value"
    client.post(HALF, json={"inputs": [2]})
    assert "traceparent" not in fake.metadata[-1]


def traced(parent: str, state: str) -> RequestContext:
    return begin_context({"HTTP_TRACEPARENT": parent, "HTTP_TRACESTATE": state}, 5)


@pytest.mark.parametrize(
    "received",
    ["", TRACE, PARENT.upper(), f"ff{PARENT[2:]}", f"{PARENT}-x", f"{PARENT[:-1]}\u00e4"],
)
def test_a_malformed_trace_is_left_out(received):
    context = traced(received, "a=b")
    assert ("trace_id" in context.log_members, context.trace) == (False, ())


@pytest.mark.parametrize("state", ["a\u00e4=b", "x" * 513])
def test_a_malformed_state_is_left_out(state):
    context = traced(PARENT, state)
    assert context.log_members["trace_id"] == TRACE
    assert context.trace == (("traceparent", PARENT),)
