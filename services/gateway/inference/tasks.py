"""The tasks that the gateway offers, and the signatures that implement them."""

from __future__ import annotations

from dataclasses import dataclass

from services.serving_api.signatures import DEFAULT_SIGNATURE


@dataclass(frozen=True)
class SignatureKind:
    """A signature, or a family of signatures, that the gateway knows.

    Attributes:
        name: name of the signature; for a family, the prefix of its members' names.
        inputs: required inputs; a signature of this name without them is not of this kind.
        outputs: required outputs.
        family: whether it is a family, of which a client chooses a member.
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
    """A task of a model.

    Attributes:
        name: the verb in the path.
        kinds: the kinds of signature that implement the task; one is enough.
        choice: what the members of a family are, such as `method` for saliency.
        method_name: a signature of any name with this method name, in TensorFlow Serving's sense,
            also implements the task.
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
