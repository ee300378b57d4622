"""Model cards (Mitchell et al. 2018, https://arxiv.org/abs/1810.03993): what to know of a model."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version as installed

import tensorflow as tf

from training.data.fashion_mnist import CLASS_NAMES, Split
from training.evaluation.confusion import confusion_shares
from training.report.markdown import markdown_table
from training.report.reported_model import ReportedModel
from training.report.table import calibration_error, quality, retrain_command, size

_CARD = """\
# {name}

{summary}, for {task}. This card is of version {version}; the
[report](../README.md) that wrote it holds all models side by side.

## Measured

On the {test_size:,} images of the test set, by the exported model itself:

{measured}
## Data

[Fashion-MNIST](https://arxiv.org/abs/1708.07747): 70,000 pictures of clothes from one shop, in ten
classes of equal size, under the MIT licence. Of the 60,000 for training a fixed 5,000 are the
validation set, by which everything was chosen.

## Training

```sh
{command}
```

{training}
{recipe}
## Signatures

{signatures}
## Limits

- It knows images of {shape} alone, grey on black from 0 to 255, one piece of clothing that stands
  upright in the middle and fills the frame. Photographs must be brought to that form first.
- It was trained on nothing but Fashion-MNIST: one shop's catalogue, ten kinds of clothes as that
  shop names them, some of them labelled wrongly or of two classes at once.
{limit}

## Versions

Exported by TensorFlow {tensorflow}; measured with {libraries}.
"""

# By the network's task.
LIMITS = {
    "classification": """\
- It names one of its ten classes for every image, also for a cat. A probability is worth what the
  calibration error says, and nothing on images of another kind.
- It is made to show how models are served and explained, not to decide anything about people or
  goods.""",
    "compression": """\
- It is lossy, and restores what it has learned to expect: fine prints and writing are lost, and an
  image of another kind comes back as clothes.
- A code can be read by the version that wrote it, and by no other: keep that as long as the codes.
- It is no format to archive images in.""",
    "generation": """\
- Its images are blurred and of 28×28 pixels; they show what is common in the catalogue, and rare
  things seldom or never.
- They are no data to train or to test a classifier on in place of real images.""",
}


def model_card(model: ReportedModel, test: Split) -> str:
    """Writes the card of a model, in Markdown.

    Args:
        model: The model.
        test: What it was measured on.
    """
    (*_, height, width, channels) = _inputs(model, "serving_default")["images"].shape
    return _CARD.format(
        name=model.name,
        summary=model.network.summary[0].upper() + model.network.summary[1:],
        task=model.network.task,
        version=model.version.name,
        test_size=len(test),
        measured=_measured(model, test),
        command=retrain_command(model.origin),
        training=_training(model),
        recipe=_recipe(model),
        signatures=_signatures(model),
        shape=f"{height}×{width} pixels and {channels} channel",
        limit=LIMITS[model.network.task],
        tensorflow=model.saved_model.tensorflow_version,
        libraries=", ".join(
            f"{title} {installed(package)}"
            for title, package in [("Keras", "keras"), ("NumPy", "numpy")]
        )
        + f" and TensorFlow {tf.__version__}",
    )


def _measured(model: ReportedModel, test: Split) -> str:
    metric, value = quality(model).rsplit(" ", 1)
    rows = [[metric, value], ["parameters", f"{model.measurement.parameters:,}"]]
    rows.append(["size", size(model)])
    if model.is_classifier:
        rows.append(["expected calibration error", calibration_error(model, test)])
        recalls = confusion_shares(model.probabilities, test.labels).diagonal()
        rows += [
            [f"recall of {name}", f"{recall:.1%}"]
            for name, recall in zip(CLASS_NAMES, recalls, strict=True)
        ]
    return markdown_table(["measure", "value:"], rows)


def _training(model: ReportedModel) -> str:
    teacher = model.origin.teacher
    taught = f"It learned to imitate [{teacher}](../{teacher}/README.md). " if teacher else ""
    return f"{taught}The recipe is the preset `{model.origin.preset}`:\n"


def _recipe(model: ReportedModel) -> str:
    settings = asdict(model.origin.recipe)
    rows = [[name.replace("_", " "), f"{value}"] for name, value in settings.items()]
    return markdown_table(["setting", "value"], [row for row in rows if row[1] != "None"])


def _signatures(model: ReportedModel) -> str:
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
