"""Model cards (Mitchell et al. 2018, https://arxiv.org/abs/1810.03993)."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version as installed

import tensorflow as tf

from training.data.fashion_mnist import CLASS_NAMES, Split
from training.evaluation.confusion import confusion_shares
from training.exporting.export import CARD_PATH
from training.report.markdown import markdown_table
from training.report.reported_model import ReportedModel
from training.report.table import calibration_error, quality, retrain_command, size

_CARD = """\
# {name}

{summary}, for {task}. This card is of version {version}; the
[report](../../../README.md) compares all models.

## Measured

The exported model on the {count:,} images of the {split} set:

{measured}
## Data

[Fashion-MNIST](https://arxiv.org/abs/1708.07747): 70,000 images of clothes from one shop, in ten
classes of equal size, under the MIT licence. Of the 60,000 training images, a fixed 5,000 form the
validation set, on which all choices were made.

## Training

```sh
{command}
```

{training}
{recipe}
## Signatures

{signatures}
## Limits

- It expects images of {shape}, with values from 0 to 255: one piece of clothing, grey on black,
  upright, centred and filling the frame. Photographs must be converted to that form first.
- It was trained on Fashion-MNIST alone: the catalogue of one shop, with ten kinds of clothes. Some
  labels are wrong, and some images fit two classes.
{limit}

## Versions

Exported by TensorFlow {tensorflow}; measured with {libraries}.
"""

# By the network's task.
LIMITS = {
    "classification": """\
- It predicts one of its ten classes for every image, even for a cat. Probabilities are as reliable
  as the calibration error says, and meaningless for other kinds of images.
- It demonstrates how models are served and explained. It is not meant for decisions about people or
  goods.""",
    "compression": """\
- Compression is lossy: fine prints and writing are lost, and images of other kinds come out as
  clothes.
- Only the version that compressed an image can decompress its code. Keep the version as long as the
  codes.
- It is not an archive format for images.""",
    "generation": """\
- Its images are blurred and have 28×28 pixels. They show common items of the catalogue, and rare
  items seldom or never.
- They do not replace real images for training or testing a classifier.""",
    "text generation": """\
- It is small: it spells and forms sentences, but what they say has no meaning.""",
    "word vectors": """\
- Its vectors are of one text, too short for rare words: those seen a few times have poor
  neighbours.""",
}


def write_card(model: ReportedModel, examples: Split, split: str) -> None:
    """Writes the card of a model into its version; the arguments are those of `model_card`."""
    (model.version / CARD_PATH).write_text(model_card(model, examples, split))


def model_card(model: ReportedModel, examples: Split, split: str) -> str:
    """Returns the card of a model, in Markdown.

    Args:
        model: The model.
        examples: The examples on which it was measured.
        split: Name of the split of these examples.
    """
    (*_, height, width, channels) = _inputs(model, "serving_default")["images"].shape
    return _CARD.format(
        name=model.name,
        summary=model.network.summary[0].upper() + model.network.summary[1:],
        task=model.network.task,
        version=model.version.name,
        count=len(examples),
        split=split,
        measured=_measured(model, examples),
        command=retrain_command(model.origin, model.name),
        training=_training(model),
        recipe=_recipe(model),
        signatures=signatures_table(model),
        shape=f"{height}×{width} pixels and {channels} channel",
        limit=LIMITS[model.network.task],
        tensorflow=model.saved_model.tensorflow_version,
        libraries=", ".join(
            f"{title} {installed(package)}"
            for title, package in [("Keras", "keras"), ("NumPy", "numpy")]
        )
        + f" and TensorFlow {tf.__version__}",
    )


def _measured(model: ReportedModel, examples: Split) -> str:
    metric, value = quality(model).rsplit(" ", 1)
    rows = [[metric, value], ["parameters", f"{model.measurement.parameters:,}"]]
    rows.append(["size", size(model)])
    if model.is_classifier:
        rows.append(["expected calibration error", calibration_error(model, examples)])
        recalls = confusion_shares(model.probabilities, examples.labels).diagonal()
        rows += [
            [f"recall of {name}", f"{recall:.1%}"]
            for name, recall in zip(CLASS_NAMES, recalls, strict=True)
        ]
    return markdown_table(["measure", "value:"], rows)


def _training(model: ReportedModel) -> str:
    teacher = model.origin.teacher
    distilled = f"Distilled from `{teacher}`. " if teacher else ""
    return f"{distilled}Recipe of the preset `{model.origin.preset}`:\n"


def _recipe(model: ReportedModel) -> str:
    settings = asdict(model.origin.recipe)
    rows = [[name.replace("_", " "), f"{value}"] for name, value in settings.items()]
    return markdown_table(["setting", "value"], [row for row in rows if row[1] != "None"])


def signatures_table(model: ReportedModel) -> str:
    """Returns a table of a model's signatures with their inputs and outputs, in Markdown."""
    rows = [
        [
            f"`{name}`",
            _tensors(_inputs(model, name)),
            _tensors(signature.structured_outputs),
        ]
        for name, signature in model.saved_model.signatures.items()
    ]
    return markdown_table(["signature", "inputs", "outputs"], rows)


def _inputs(model: ReportedModel, signature_name: str) -> dict[str, tf.TensorSpec]:
    _, by_name = model.saved_model.signatures[signature_name].structured_input_signature
    inputs: dict[str, tf.TensorSpec] = by_name
    return inputs


def _tensors(specs: dict[str, tf.TensorSpec]) -> str:
    return ", ".join(
        f"`{name}` {spec.dtype.name} "
        f"[{', '.join('N' if size is None else str(size) for size in spec.shape)}]"
        for name, spec in sorted(specs.items())
    )
