"""The section and the cards of networks that are trained on a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tensorflow as tf

from training.data.analogies import ANALOGIES
from training.data.dataset import FASHION_MNIST
from training.data.examples import Examples
from training.data.text import load_test_text, load_training_text
from training.evaluation.evaluate import measure_saved_model
from training.evaluation.latency import measure_latencies
from training.evaluation.ngram import ORDER, NGram
from training.exporting.export import CARD_PATH, read_origin
from training.exporting.repository import latest_version, versions
from training.exporting.restore import load_saved_model
from training.exporting.warmup import read_warmup_requests
from training.report.markdown import markdown_table
from training.report.model_cards import LIMITS, signatures_table
from training.report.reported_model import ReportedModel
from training.report.table import quality, retrain_command, size
from training.zoo import NETWORKS
from training.zoo.network import Network
from training.zoo.text import answer_analogies

PROMPT = "In the beginning "
TEMPERATURE = 0.7
WORDS = ("king", "bread", "mountain", "said")
SHOWN_ANALOGIES = 8

_CARD = """\
# {name}

{summary}, for {task}. This card is of version {version}; the
[report](../../../README.md) compares it with the other models of texts.

## Measured

The exported model on the {split} set:

{measured}
## Data

The King James Bible of the Debian package `bible-kjv`, one verse per line, or the file that the
command names with `--text`. The first 90% are the training set, the next 5% the validation set, on
which all choices were made, and the last 5% the test set.

## Training

```sh
{command}
```

{recipe}
## Signatures

{signatures}
## Limits

- It knows one text, in the English of 1611, and nothing else. What it writes is no quotation.
{limit}
- A character or word that its vocabulary does not have is read as the vocabulary's first entry.
"""

_SECTION = """\
## Texts

These networks are trained on the first 90% of the King James Bible (the Debian package
`bible-kjv`), or of any UTF-8 file that `--text` names, and measured on its last 5%. The baseline is
a {order}-gram model with Witten-Bell smoothing; `python -m training ngram` measures it alone. The
times are medians of `serving_default`.

{table}
"""

_CONTINUATIONS = """\
`{prompt}` continued with temperature {temperature} and seed 0:

{texts}
"""

_WORD_VECTORS = """\
Words whose vectors of `{name}` have the largest cosine with that of a word:

{nearest}
Analogies, *a is to b as c is to …*, answered by the words nearest to b - a + c:

{analogies}
"""


def text_networks(models: Path) -> list[Network]:
    """Returns the networks of texts with a version in the repository, in the order of the zoo."""
    return [
        network
        for network in NETWORKS.values()
        if network.dataset is not FASHION_MNIST and versions(models, network.name)
    ]


def report_text_model(models: Path, network: Network, examples: Examples) -> ReportedModel:
    """Loads and measures the latest version of a network.

    Args:
        models: The model repository.
        network: The network, under the name of the model.
        examples: What to measure it on.

    Raises:
        ModelRepositoryError: The version is missing, cannot be loaded or has no record of how it
            was trained.
    """
    version = latest_version(models, network.name)
    loaded = load_saved_model(version)
    [[name, values]] = read_warmup_requests(version)["serving_default"].items()

    def predict(batch: Any) -> object:
        return loaded.signatures["serving_default"](**{name: tf.constant(batch)})

    [latency] = measure_latencies([predict], values)
    measurement = measure_saved_model(loaded, version, network.objective, examples)
    return ReportedModel(network, version, read_origin(version), loaded, measurement, latency)


def text_table(models: Sequence[ReportedModel], baseline: float | None = None) -> str:
    """Returns a table of networks of texts in Markdown.

    Args:
        models: The networks.
        baseline: Bits per character of the n-gram model; None leaves out its row.
    """
    rows = [
        [
            f"`{model.name}`",
            model.version.name,
            model.network.summary,
            f"{model.measurement.parameters:,}",
            quality(model),
            size(model),
            f"{model.latency.single:.2f} ms",
            f"`{retrain_command(model.origin, model.name)}`",
        ]
        for model in models
    ]
    if baseline is not None:
        value = f"bits per character {baseline:#.4g}"
        command = "`python -m training ngram`"
        rows.append([f"{ORDER}-gram", "–", "the baseline", "–", value, "–", "–", command])
    columns = ["model", "version:", "network", "parameters:", "test set:", "size:", "1 text:"]
    return markdown_table([*columns, "command"], rows)


def text_section(models: Path, text: Path | None = None) -> str | None:
    """Returns the section on networks of texts, and writes their cards; None if there are none.

    Args:
        models: The model repository.
        text: The text file on which they were trained; None reads the King James Bible.

    Raises:
        DatasetError: The text is missing.
    """
    networks = text_networks(models)
    if not networks:
        return None
    reported = [
        report_text_model(models, network, network.dataset.load_test(text)) for network in networks
    ]
    for model in reported:
        write_text_card(model, "test")
    baseline = NGram(load_training_text(text)[0]).bits_per_character(load_test_text(text))
    parts = [_SECTION.format(order=ORDER, table=text_table(reported, baseline))]
    writers = [model for model in reported if "generate_text" in model.signatures]
    if writers:
        texts = "\n".join(f"> **`{model.name}`**: {_continue(model)}\n" for model in writers)
        parts.append(
            _CONTINUATIONS.format(prompt=PROMPT.strip(), temperature=TEMPERATURE, texts=texts)
        )
    parts += [
        _word_vectors(model, model.network.dataset.load_test(text).vocabulary)
        for model in reported
        if "embed" in model.signatures
    ]
    return "\n".join(parts)


def write_text_card(model: ReportedModel, split: str) -> None:
    """Writes the card of a model into its version.

    Args:
        model: The model.
        split: Name of the split on which it was measured.
    """
    metric, value = quality(model).rsplit(" ", 1)
    parameters = f"{model.measurement.parameters:,}"
    measured = [[metric, value], ["parameters", parameters], ["size", size(model)]]
    settings = [
        [name.replace("_", " "), f"{setting}"]
        for name, setting in asdict(model.origin.recipe).items()
        if setting is not None
    ]
    content = _CARD.format(
        name=model.name,
        summary=model.network.summary[0].upper() + model.network.summary[1:],
        task=model.network.task,
        version=model.version.name,
        split=split,
        measured=markdown_table(["measure", "value:"], measured),
        command=retrain_command(model.origin, model.name),
        recipe=markdown_table(["setting", "value"], settings),
        signatures=signatures_table(model),
        limit=LIMITS[model.network.task],
    )
    (model.version / CARD_PATH).write_text(content)


def _continue(model: ReportedModel) -> str:
    """Returns a continuation of `PROMPT` as one line."""
    answer = model.signatures["generate_text"](
        prompt=tf.constant([PROMPT]),
        seed=tf.constant([0], tf.int64),
        temperature=tf.constant([TEMPERATURE]),
    )
    return " ".join(answer["text"].numpy()[0].decode().split())


def _word_vectors(model: ReportedModel, vocabulary: Sequence[str]) -> str:
    """Returns the words nearest to some words, and answers to analogies."""
    nearest = model.signatures["nearest_words"](word=tf.constant(WORDS))["words"].numpy()
    rows = [
        [word, ", ".join(found.decode() for found in row)]
        for word, row in zip(WORDS, nearest, strict=True)
    ]
    asked = [each for each in ANALOGIES if set(each) <= set(vocabulary)][:SHOWN_ANALOGIES]
    answers = answer_analogies(model.signatures, vocabulary, asked)
    analogies = [
        [f"{a} : {b} = {c} : **{d}**", ", ".join(_emphasize(answer, d))]
        for (a, b, c, d), answer in zip(asked, answers, strict=True)
    ]
    return _WORD_VECTORS.format(
        name=model.name,
        nearest=markdown_table(["word", "nearest"], rows),
        analogies=markdown_table(["analogy", "nearest"], analogies),
    )


def _emphasize(words: Sequence[str], wanted: str) -> list[str]:
    return [f"**{word}**" if word == wanted else word for word in words]
