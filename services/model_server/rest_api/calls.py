"""The calls of the REST API: a route and a body in, JSON out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from services.model_server.errors import invalid_argument
from services.model_server.inference.data_plane import DataPlane
from services.model_server.models.describe import describe_models, describe_status
from services.model_server.models.manager import ModelManager
from services.model_server.operations.predict import UnknownSignatureError
from services.model_server.rest_api.repository_calls import RepositoryCalls
from services.model_server.rest_api.routes import REPOSITORY_PREFIX, Route
from services.serving_api.arrays import Arrays
from services.serving_api.protos import classification_pb2, model_pb2, regression_pb2
from services.serving_api.rest_json.errors import JsonError, TooManyValuesError
from services.serving_api.rest_json.examples import (
    format_classifications,
    format_regressions,
    parse_examples_body,
)
from services.serving_api.rest_json.models import metadata_json, models_json, status_json
from services.serving_api.rest_json.predict import (
    format_predictions,
    parse_predict_body,
    to_arrays,
)
from services.serving_api.signatures import Signature


class Calls:
    """Answers the calls by the data plane and the manager.

    Attributes:
        prefixes: the beginnings of the paths that it answers.
    """

    def __init__(
        self,
        manager: ModelManager,
        data_plane: DataPlane,
        max_json_values: int,
        repository: RepositoryCalls | None = None,
    ) -> None:
        """Makes the calls.

        Args:
            manager: reports the state of the models.
            data_plane: answers requests for inference.
            max_json_values: of a body, see `parse_json`.
            repository: answers the calls of the model repository extension; None where it is off.
        """
        self.prefixes: tuple[str, ...] = ("/v1/",)
        self._manager = manager
        self._data_plane = data_plane
        self._max_json_values = max_json_values
        self._answers = {
            "predict": self._predict,
            "classify": self._classify,
            "regress": self._regress,
            "status": self._status,
            "metadata": self._metadata,
            "models": self._models,
        }
        if repository:
            self.prefixes += (REPOSITORY_PREFIX,)
            self._answers |= {
                "index": repository.index,
                "load": repository.load,
                "unload": repository.unload,
            }

    def answer(self, route: Route, body: bytes) -> bytes:
        """Answers one request.

        Args:
            route: the call and the model.
            body: JSON, for the calls that take some.

        Raises:
            ServingError: the error that the client gets as `{"error": …}`.
        """
        with _invalid_arguments():
            return self._answers[route.call](route.spec, body)

    def metrics_page(self) -> bytes:
        """Returns everything that the server measures, in Prometheus's text format."""
        return self._data_plane.metrics.page()

    def _predict(self, spec: model_pb2.ModelSpec, body: bytes) -> bytes:
        unread = [parse_predict_body(body, self._max_json_values)]
        form, spec.signature_name = unread[0].form, unread[0].signature_name

        def read(signature: Signature) -> Arrays:
            # Its memory, ten times that of the arrays, is free again before the model runs.
            # Here too, so that the metrics count errors as what they are.
            with _invalid_arguments():
                return to_arrays(unread.pop(), signature.inputs)

        try:
            outputs = self._data_plane.infer(spec, read).outputs
        except UnknownSignatureError as error:
            raise invalid_argument(
                f'Serving signature name: "{error.name}" not found in signature def'
            ) from None
        return format_predictions(outputs, form)

    def _classify(self, spec: model_pb2.ModelSpec, body: bytes) -> bytes:
        spec.signature_name, examples = parse_examples_body(body, self._max_json_values)
        request = classification_pb2.ClassificationRequest(model_spec=spec, input=examples)
        return format_classifications(self._data_plane.classify(request).result)

    def _regress(self, spec: model_pb2.ModelSpec, body: bytes) -> bytes:
        spec.signature_name, examples = parse_examples_body(body, self._max_json_values)
        request = regression_pb2.RegressionRequest(model_spec=spec, input=examples)
        return format_regressions(self._data_plane.regress(request).result)

    def _status(self, spec: model_pb2.ModelSpec, _body: bytes) -> bytes:
        return status_json(describe_status(self._manager, spec)).encode()

    def _metadata(self, spec: model_pb2.ModelSpec, _body: bytes) -> bytes:
        return metadata_json(self._data_plane.metadata(spec)).encode()

    def _models(self, _spec: model_pb2.ModelSpec, _body: bytes) -> bytes:
        return models_json(describe_models(self._manager)).encode()


@contextmanager
def _invalid_arguments() -> Iterator[None]:
    try:
        yield
    except TooManyValuesError as error:
        raise invalid_argument(f"{error}, or raise --rest_api_max_json_values") from None
    except JsonError as error:
        raise invalid_argument(str(error)) from None
