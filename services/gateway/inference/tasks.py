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
        classifies_images: whether it takes images and answers a score for each class.
        methods: what the gateway computes by many calls of the signature; a client chooses one.
        expensive: whether it runs the model many times for one answer.
        large_answer: whether its answer may be many times as large as its inputs.
    """

    name: str
    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    family: bool = False
    classifies_images: bool = False
    methods: tuple[str, ...] = ()
    expensive: bool = False
    large_answer: bool = False


@dataclass(frozen=True)
class Task:
    """A task of a model.

    Attributes:
        name: the name that `GET /v1/models` lists; also the verb in the path, except that
            `generate_text` shares the verb `generate`.
        kinds: the kinds of signature that implement the task; one is enough.
        choice: what a client chooses, such as the `method` of saliency.
        default: the choice if the client makes none; the first that the model offers, if it does
            not offer this one.
        method_name: a signature of any name with this method name, in TensorFlow Serving's sense,
            also implements the task.
    """

    name: str
    kinds: tuple[SignatureKind, ...] = ()
    choice: str = ""
    default: str = ""
    method_name: str = ""


DEFAULT = SignatureKind(DEFAULT_SIGNATURE)
SALIENCY_METHOD = SignatureKind(
    "saliency_",
    frozenset({"class_index"}),
    frozenset({"attribution", "class_index"}),
    family=True,
    expensive=True,
)
OCCLUSION = "occlusion"
RISE = "rise"
IMAGE_CLASSIFIER = SignatureKind(
    DEFAULT_SIGNATURE, classifies_images=True, methods=(OCCLUSION, RISE), expensive=True
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
TEXT_FROM_PROMPT = SignatureKind(
    "generate_text",
    frozenset({"prompt", "seed", "temperature"}),
    frozenset({"text"}),
    expensive=True,
)
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
    TEXT_FROM_PROMPT,
    COMPRESS_IMAGES,
    DECOMPRESS_CODES,
)

PREDICT = Task("predict", (DEFAULT,))
SALIENCY = Task("saliency", (SALIENCY_METHOD, IMAGE_CLASSIFIER), "method", "gradient")
ACTIVATIONS = Task("activations", (ALL_ACTIVATIONS,))
VISUALIZE = Task("visualize", (FEATURE_VISUALIZATION,), "layer")
GENERATE = Task("generate", (GENERATE_FROM_SEED, DECODE_LATENT))
GENERATE_TEXT = Task("generate_text", (TEXT_FROM_PROMPT,))
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
    GENERATE_TEXT,
    COMPRESS,
    DECOMPRESS,
    CLASSIFY,
    REGRESS,
)
