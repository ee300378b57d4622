"""Errors that a user can fix; the command line prints them and exits with status 2."""


class TrainingError(Exception):
    """Base class. Messages say what was received, what was expected and how to fix it."""


class UnknownNameError(TrainingError):
    """A name is unknown, such as that of a network or preset.

    Args:
        kind: Kind of the name, such as `network`.
        received: The unknown name.
        known: The accepted names.
    """

    def __init__(self, kind: str, received: str, known: list[str]) -> None:
        names = ", ".join(known) or "none yet"
        super().__init__(f"There is no {kind} named {received!r}. Known: {names}.")


class PortedNetworkError(TrainingError):
    """A network with ported weights cannot be trained, distilled, measured or exported as others.

    Args:
        name: Name of the network.
        package: The package that contains its weights.
    """

    def __init__(self, name: str, package: str) -> None:
        super().__init__(
            f"{name} is not trained here: it has the weights of the package {package} and 1,000 "
            f"classes of its own. `python -m training port {name}` exports it, and its card says "
            f"what was measured."
        )


class DatasetError(TrainingError):
    """A file of Fashion-MNIST is missing, truncated or differs from the published one."""


class ExecutionError(TrainingError):
    """Training cannot run with the chosen backend, strategy or precision."""


class PretrainedWeightsError(TrainingError):
    """Pretrained weights cannot be loaded."""


class ModelRepositoryError(TrainingError):
    """A model repository has no such model, or cannot be read."""


class WorseModelError(TrainingError):
    """A trained network is worse than the version that it would replace."""


class KerasModelError(TrainingError):
    """A user's Keras model cannot be read, or cannot be exported with the given options."""
