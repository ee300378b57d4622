"""The tasks of word vectors: the vector of a word, and the words like it and around it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.signatures.signature import Signature, make_signature

NEAREST = 10
_WORD = tf.TensorSpec([None], tf.string, name="word")


def embed(model: keras.Model, name: str) -> Signature:
    """Returns a signature for the vectors of words.

    Inputs: `word` string [N], in lower case.
    Outputs: `vector` float32 [N, D]; zeros for a word that is not in the vocabulary.

    Args:
        model: A network with the layers `vocabulary`, which stores the words, and `embedding`.
        name: Name of the signature.
    """

    def serve(word: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"vector": _vectors(model, model.get_layer("vocabulary").lookup(word))}

    return make_signature(name, serve, [_WORD], _example())


def nearest_words(model: keras.Model) -> Signature:
    """Returns the signature `nearest_words`.

    Inputs: `word` string [N], in lower case.
    Outputs: `words` string [N, 10], the words of the vocabulary whose vectors have the largest
    cosine with the word's, without itself, and `similarity` float32 [N, 10], these cosines. For a
    word that is not in the vocabulary the words are empty and the similarities 0.

    Args:
        model: A network with the layers `vocabulary`, which stores the words, and `embedding`.
    """
    vocabulary = model.get_layer("vocabulary")

    def serve(word: tf.Tensor) -> dict[str, tf.Tensor]:
        index = vocabulary.lookup(word)
        entries = vocabulary.entries()
        directions = tf.math.l2_normalize(_vectors(model, tf.range(vocabulary.size)), axis=1)
        cosines = tf.gather(directions, index) @ tf.transpose(directions)
        itself = tf.one_hot(index, vocabulary.size, on_value=True, off_value=False)
        return _best(entries, tf.where(itself | (entries == b""), -2.0, cosines), index)

    return make_signature("nearest_words", serve, [_WORD], _example())


def neighbouring_words(model: keras.Model) -> Signature:
    """Returns the signature `neighbouring_words`: the words that a word predicts around it.

    Inputs: `word` string [N], in lower case.
    Outputs: `words` string [N, 10] with the largest logits of being near the word, and
    `similarity` float32 [N, 10], these logits. For a word that is not in the vocabulary the words
    are empty and the logits 0.

    Args:
        model: A network with the layers `vocabulary`, `embedding` and `neighbours`, the vectors
            with which words are predicted.
    """
    vocabulary = model.get_layer("vocabulary")

    def serve(word: tf.Tensor) -> dict[str, tf.Tensor]:
        index = vocabulary.lookup(word)
        entries = vocabulary.entries()
        predicted = model.get_layer("neighbours")(tf.range(vocabulary.size))
        logits = _vectors(model, index) @ tf.transpose(predicted)
        return _best(entries, tf.where(entries == b"", -1e9, logits), index)

    return make_signature("neighbouring_words", serve, [_WORD], _example())


def _vectors(model: keras.Model, index: tf.Tensor) -> tf.Tensor:
    """Returns the vectors of words, float32 [N, D]; zeros for index 0, the unknown word."""
    return model.get_layer("embedding")(index) * tf.cast(index > 0, tf.float32)[:, None]


def _best(entries: tf.Tensor, scores: tf.Tensor, index: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns the words with the largest scores [N, V]; none for the unknown word."""
    similarity, best = tf.math.top_k(scores, NEAREST)
    known = (index > 0)[:, None]
    return {
        "words": tf.where(known, tf.gather(entries, best), b""),
        "similarity": tf.where(known, similarity, 0.0),
    }


def _example() -> dict[str, Any]:
    return {"word": np.array([b"king"], np.object_)}
