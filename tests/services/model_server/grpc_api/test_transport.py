"""Both transports keep the contracts; the rest of the suite runs on the one that is chosen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from services.model_server.grpc_api import transport
from services.model_server.grpc_api.options import GrpcOptions
from services.model_server.grpc_api.transport import HAS_NATIVE, create_server
from services.serving_api.protos import predict_pb2, prediction_service_pb2_grpc

UNLIMITED: dict[str, int | str] = {
    "grpc.max_send_message_length": -1,
    "grpc.max_receive_message_length": -1,
    "grpc.so_reuseport": 0,
}
LARGE = 20 * 2**20


class Echo(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers with the name it was sent, or as that name says."""

    def __init__(self) -> None:
        self.was_cancelled = threading.Event()
        self.seconds_left = 0.0

    def Predict(  # noqa: N802
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        name = request.model_spec.name
        if name == "abort":
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not ready: ü")
        if name == "wait":
            context.add_callback(self.was_cancelled.set)
            self.was_cancelled.wait(10)
        self.seconds_left = context.time_remaining()
        response = predict_pb2.PredictResponse()
        response.model_spec.name = name
        return response


@pytest.fixture(params=["grpcio", "native"])
def echo(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Echo, prediction_service_pb2_grpc.PredictionServiceStub]]:
    is_native = request.param == "native"
    if is_native and not HAS_NATIVE:
        pytest.skip("pygrpc-native is not installed")
    monkeypatch.setattr(transport, "HAS_NATIVE", is_native)
    server = create_server(ThreadPoolExecutor(4), UNLIMITED, GrpcOptions())
    assert type(server).__module__.startswith("grpc.") != is_native
    servicer = Echo()
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("[::]:0")
    server.start()
    options = [("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        yield servicer, prediction_service_pb2_grpc.PredictionServiceStub(channel)
    server.stop(None).wait()


Pair = tuple[Echo, prediction_service_pb2_grpc.PredictionServiceStub]


def ask(pair: Pair, name: str, timeout: float = 30) -> predict_pb2.PredictResponse:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    return pair[1].Predict(request, timeout=timeout)


def test_large_messages_go_both_ways(echo: Pair) -> None:
    assert ask(echo, "x" * LARGE).model_spec.name == "x" * LARGE


def test_an_error_keeps_its_code_and_text(echo: Pair) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        ask(echo, "abort")
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert caught.value.details() == "not ready: ü"


def test_the_deadline_reaches_the_server(echo: Pair) -> None:
    ask(echo, "quick", timeout=20)
    assert 10 < echo[0].seconds_left < 21


def test_a_deadline_that_passes_ends_the_call(echo: Pair) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        ask(echo, "wait", timeout=0.2)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert echo[0].was_cancelled.wait(10)


def test_a_method_without_an_answer_is_unimplemented(echo: Pair) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        echo[1].Classify(predict_pb2.PredictRequest(), timeout=30)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    "options",
    [
        GrpcOptions(credentials=grpc.ssl_server_credentials([(b"", b"")])),
        GrpcOptions(socket_path="/tmp/socket"),
        GrpcOptions(channel_arguments={"grpc.max_connection_age_ms": 1000}),
    ],
)
def test_what_only_grpcio_can_do_is_done_by_it(options: GrpcOptions) -> None:
    server = create_server(ThreadPoolExecutor(1), UNLIMITED, options)
    assert type(server).__module__.startswith("grpc.")
