"""The text tasks: continuing a text, its next character, and the information of its characters.

The network is a `keras.Sequential` from indices of characters to logits of the next ones. Its layer
`vocabulary` stores the characters. Layers with a memory have the methods `initial_state` and
`step`, with which they read one character at a time.

A character that the vocabulary does not have is read as its first one, which is the most frequent
character of the training text, such as a space. A line break stands before every text.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.data.text import START
from training.signatures.signature import Signature, make_signature

MOST_PROBABLE = 10


def generate_text(model: keras.Model, prompt_length: int, length: int) -> Signature:
    """Returns the signature `generate_text`.

    Inputs: `prompt` string [N], UTF-8, of which the last `prompt_length` characters are read;
    `seed` int64 [N]; `temperature` float32 [N]: 1 samples the learned distribution, 0 takes the
    most probable character each time.
    Outputs: `text` string [N], the `length` characters that follow. The same seed and prompt give
    the same text on every server, regardless of the batch.

    Args:
        model: The network.
        prompt_length: Number of characters that are read.
        length: Number of characters that are generated.
    """
    vocabulary = model.get_layer("vocabulary")

    def serve(prompt: tf.Tensor, seed: tf.Tensor, temperature: tf.Tensor) -> dict[str, tf.Tensor]:
        prompts, lengths = _read(vocabulary, prompt, prompt_length)
        characters = vocabulary.entries()
        noise = _gumbel_noise(seed, [length, vocabulary.size]) * temperature[:, None, None]
        # Unused indices of the vocabulary are never sampled.
        noise = tf.where(characters == b"", np.float32(-1e9), noise)
        sampled = _sample(model, prompts, lengths, noise)
        return {"text": tf.strings.reduce_join(tf.gather(characters, sampled), axis=1)}

    specs = [
        tf.TensorSpec([None], tf.string, name="prompt"),
        tf.TensorSpec([None], tf.int64, name="seed"),
        tf.TensorSpec([None], tf.float32, name="temperature"),
    ]
    seed, temperature = np.zeros(1, np.int64), np.ones(1, np.float32)
    example = {"prompt": _example(), "seed": seed, "temperature": temperature}
    return make_signature("generate_text", serve, specs, example)


def next_character(model: keras.Model, prompt_length: int) -> Signature:
    """Returns the signature `serving_default`: the most probable next characters of a text.

    Inputs: `prompt` string [N], UTF-8, of which the last `prompt_length` characters are read.
    Outputs: `character` string [N, 10] and `probability` float32 [N, 10], the most probable first;
    `logits` float32 [N, V].

    Args:
        model: The network.
        prompt_length: Number of characters that are read.
    """
    vocabulary = model.get_layer("vocabulary")

    def serve(prompt: tf.Tensor) -> dict[str, tf.Tensor]:
        prompts, lengths = _read(vocabulary, prompt, prompt_length)
        logits = tf.gather(model(prompts, training=False), lengths, batch_dims=1)
        probability, index = tf.math.top_k(tf.nn.softmax(logits), MOST_PROBABLE)
        character = tf.gather(vocabulary.entries(), index)
        return {"character": character, "probability": probability, "logits": logits}

    spec = tf.TensorSpec([None], tf.string, name="prompt")
    return make_signature("serving_default", serve, [spec], {"prompt": _example()})


def surprisal(model: keras.Model, length: int) -> Signature:
    """Returns the signature `surprisal`: the information of each character, given those before it.

    Inputs: `text` string [N], UTF-8, of which the last `length` characters are read.
    Outputs: `bits` float32 [N, `length`], -log2 of each character's probability in order; 0 after
    the end of a shorter text.

    Args:
        model: The network.
        length: Number of characters that are read.
    """
    vocabulary = model.get_layer("vocabulary")

    def serve(text: tf.Tensor) -> dict[str, tf.Tensor]:
        indices, lengths = _read(vocabulary, text, length)
        logits = model(indices[:, :-1], training=False)
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(indices[:, 1:], logits)
        return {"bits": nats / np.log(2) * tf.sequence_mask(lengths, length, tf.float32)}

    spec = tf.TensorSpec([None], tf.string, name="text")
    return make_signature("surprisal", serve, [spec], {"text": _example()})


def _example() -> npt.NDArray[Any]:
    return np.array([b"In the beginning"], np.object_)


def _read(vocabulary: Any, texts: tf.Tensor, length: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the indices of the last characters of texts, and how many these are.

    Args:
        vocabulary: The layer with the characters.
        texts: The texts, string [N].
        length: Largest number of characters.

    Returns:
        Indices int32 [N, 1 + length], which begin with `START`, and lengths int32 [N].
    """
    characters = tf.strings.unicode_split(texts, "UTF-8")[:, -length:]
    padded = characters.to_tensor(START, shape=[None, length])
    started = tf.pad(padded, [[0, 0], [1, 0]], constant_values=START)
    return vocabulary.lookup(started), tf.cast(characters.row_lengths(), tf.int32)


def _gumbel_noise(seed: tf.Tensor, shape: list[int]) -> tf.Tensor:
    """Returns the noise of each seed, whose sum with logits has its maximum at a random sample."""

    def noise(each: tf.Tensor) -> tf.Tensor:
        # TensorFlow's default algorithm depends on the device.
        uniform = tf.random.stateless_uniform(shape, [each, 0], minval=1e-20, alg="philox")
        return -tf.math.log(-tf.math.log(uniform))

    return tf.map_fn(noise, seed, fn_output_signature=tf.TensorSpec(shape, tf.float32))


def _sample(
    model: keras.Model, prompts: tf.Tensor, lengths: tf.Tensor, noise: tf.Tensor
) -> tf.Tensor:
    """Returns the indices of the sampled characters after each prompt.

    All rows read their prompts from their first character on; a row whose prompt has ended samples
    while the others still read.

    Args:
        model: The network.
        prompts: Indices of the prompts' characters after `START`, int32 [N, 1 + P].
        lengths: Lengths of the prompts without `START`, int32 [N].
        noise: What is added to the logits before their maximum is taken, [N, L, V].

    Returns:
        Indices int32 [N, L].
    """
    count, length = tf.shape(prompts)[0], noise.shape[1]
    steps = tf.reduce_max(tf.concat([lengths, [0]], axis=0)) + length
    memories = [layer for layer in model.layers if hasattr(layer, "step")]

    def step(position: tf.Tensor, read: tf.Tensor, states: Any, written: Any) -> Any:
        logits, states = _step(model, read, states, position)
        turn = position - lengths  # Negative while a row reads its prompt.
        chosen_noise = tf.gather(noise, tf.maximum(turn, 0) % length, batch_dims=1)
        sampled = tf.argmax(logits + chosen_noise, axis=-1, output_type=tf.int32)
        following = prompts[:, tf.minimum(position + 1, prompts.shape[1] - 1)]
        read = tf.where(turn < 0, following, sampled)
        return position + 1, read, states, written.write(position, read)

    _, _, _, written = tf.while_loop(
        lambda position, *_: position < steps,
        step,
        [
            tf.constant(0),
            prompts[:, 0],
            [layer.initial_state(count, steps) for layer in memories],
            tf.TensorArray(tf.int32, size=steps, element_shape=[None]),
        ],
    )
    chosen = lengths[:, None] + tf.range(length)
    return tf.gather(tf.transpose(written.stack()), chosen, batch_dims=1)


def _step(
    model: keras.Model, characters: tf.Tensor, states: Any, position: tf.Tensor
) -> tuple[tf.Tensor, Any]:
    """Returns the logits after one more character of each row, and the states of the layers."""
    values, remaining, after = characters, list(states), []
    for layer in model.layers:
        if hasattr(layer, "step"):
            values, state = layer.step(values, remaining.pop(0), position)
            after.append(state)
        else:
            values = layer(values)
    return values, after
