"""Skip-gram with negative sampling (Mikolov et al. 2013, https://arxiv.org/abs/1310.4546)."""

from __future__ import annotations

import keras
from keras import layers

from training.architectures.layers.vocabulary import Vocabulary
from training.data.words import LONGEST_WORD, VOCABULARY_SIZE

NEGATIVES = 10
"""Other words that a word is told apart from its neighbour."""


def build_word2vec(vocabulary_size: int = VOCABULARY_SIZE, width: int = 64) -> keras.Model:
    """Builds the network, untrained.

    Args:
        vocabulary_size: Number of words that it knows, with the unknown word.
        width: Size of a word's vector.

    Returns:
        A model from int32 [N, 2 + `NEGATIVES`] indices of a word, its neighbour and other words to
        float32 [N, 1 + `NEGATIVES`] logits of being its neighbour. Its layer `vocabulary` stores
        the words, `embedding` their vectors, and `neighbours` their vectors as neighbours.
    """
    words = keras.Input((2 + NEGATIVES,), dtype="int32", name="words")
    indices = Vocabulary(vocabulary_size, LONGEST_WORD, name="vocabulary")(words)
    # Begins with small vectors, so that no pair seems likely.
    small = keras.initializers.RandomUniform(-0.5 / width, 0.5 / width)
    centre = layers.Embedding(
        vocabulary_size, width, embeddings_initializer=small, name="embedding"
    )(indices[:, 0])
    others = layers.Embedding(vocabulary_size, width, name="neighbours")(indices[:, 1:])
    logits = layers.Dot(axes=(2, 1), dtype="float32", name="logits")([others, centre])
    return keras.Model(words, logits, name="word2vec")
