"""The tasks that the gateway offers, and the signatures that carry them."""

from __future__ import annotations

from dataclasses import dataclass

from services.serving_api.signatures import DEFAULT_SIGNATURE


@dataclass(frozen=True)
class SignatureKind:
    """A signature, or a family of signatures, that the gateway knows what to do with.

    Attributes:
        name: the signature's name; of a family, what the names of its members start with.
        inputs: inputs that it must have; without them, the name is a coincidence.
        outputs: outputs that it must have.
        family: whether it is a family, among whose members a client chooses.
        expensive: whether it runs the model many times for one answer.
        large_answer: whether its answer may be many times as large as its inputs.
    """

    name: str
    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    family: bool = False
    expensive: bool = False
    large_answer: bool = False


@dataclass(frozen=True)
class Task:
    """What a model can do for a client.

    Attributes:
        name: the verb of its path.
        kinds: the signatures of which one is enough for the task.
        choice: what a client chooses with a signature of a family, such as the saliency method.
        method_name: the method, in TensorFlow Serving's sense, of a signature of any name that
            carries the task.
    """

    name: str
    kinds: tuple[SignatureKind, ...] = ()
    choice: str = ""
    method_name: str = ""


DEFAULT = SignatureKind(DEFAULT_SIGNATURE)
SALIENCY_METHOD = SignatureKind(
    "saliency_",
    frozenset({"class_index"}),
    frozenset({"attribution", "class_index"}),
    family=True,
    expensive=True,
)
ALL_ACTIVATIONS = SignatureKind("activations", large_answer=True)
FEATURE_VISUALIZATION = SignatureKind(
    "feature_visualization_",
    frozenset({"channel", "seed"}),
    frozenset({"images", "activation"}),
    family=True,
    expensive=True,
)
GENERATE_FROM_SEED = SignatureKind(
    "generate",
    frozenset({"seed", "temperature"}),
    frozenset({"images", "latent"}),
    expensive=True,
)
DECODE_LATENT = SignatureKind("decode_latent", frozenset({"latent"}), frozenset({"images"}))
ENCODE_LATENT = SignatureKind("encode_latent", frozenset({"images"}), frozenset({"mean"}))
COMPRESS_IMAGES = SignatureKind("compress", outputs=frozenset({"code"}))
DECOMPRESS_CODES = SignatureKind("decompress", frozenset({"code"}), frozenset({"images"}))

KINDS = (
    DEFAULT,
    SALIENCY_METHOD,
    ALL_ACTIVATIONS,
    FEATURE_VISUALIZATION,
    GENERATE_FROM_SEED,
    DECODE_LATENT,
    ENCODE_LATENT,
    COMPRESS_IMAGES,
    DECOMPRESS_CODES,
)

PREDICT = Task("predict", (DEFAULT,))
SALIENCY = Task("saliency", (SALIENCY_METHOD,), choice="method")
ACTIVATIONS = Task("activations", (ALL_ACTIVATIONS,))
VISUALIZE = Task("visualize", (FEATURE_VISUALIZATION,), choice="layer")
GENERATE = Task("generate", (GENERATE_FROM_SEED, DECODE_LATENT))
COMPRESS = Task("compress", (COMPRESS_IMAGES,))
DECOMPRESS = Task("decompress", (DECOMPRESS_CODES,))
CLASSIFY = Task("classify", method_name="tensorflow/serving/classify")
REGRESS = Task("regress", method_name="tensorflow/serving/regress")

TASKS = (
    PREDICT,
    SALIENCY,
    ACTIVATIONS,
    VISUALIZE,
    GENERATE,
    COMPRESS,
    DECOMPRESS,
    CLASSIFY,
    REGRESS,
)
