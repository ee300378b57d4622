"""Errors that a user can mend; the command line prints them and exits with status 2."""


class TrainingError(Exception):
    """Base class. The message says what was received, what was expected and how to mend it."""


class UnknownNameError(TrainingError):
    """A network, preset or model was named that does not exist.

    Args:
        kind: What was named, such as `network`.
        received: The unknown name.
        known: The names that would have been accepted.
    """

    def __init__(self, kind: str, received: str, known: list[str]) -> None:
        names = ", ".join(known) or "none yet"
        super().__init__(f"There is no {kind} named {received!r}. Known: {names}.")


class DatasetError(TrainingError):
    """The Fashion-MNIST files are missing, truncated or not the published ones."""


class EngineError(TrainingError):
    """Training cannot run on the backend, or be spread, as it was asked for."""


class PretrainedWeightsError(TrainingError):
    """Weights that a network should begin with cannot be had."""


class ModelRepositoryError(TrainingError):
    """A model repository does not hold what was asked of it, or cannot be read."""


class KerasModelError(TrainingError):
    """A user's Keras model cannot be read, or cannot be exported as it was asked for."""
