"""Networks that predict the next character of a text."""

from __future__ import annotations

import keras
from keras import layers

from training.architectures.layers.causal_convolution import CausalConvolution
from training.architectures.layers.stepped_lstm import SteppedLSTM
from training.architectures.layers.transformer_block import TransformerBlock
from training.architectures.layers.vocabulary import Vocabulary

BYTES_PER_CHARACTER = 4
"""UTF-8 needs at most as many."""


def build_text_rnn(vocabulary_size: int = 96, width: int = 32, units: int = 256) -> keras.Model:
    """Builds a long short-term memory over characters, untrained.

    Args:
        vocabulary_size: Number of characters that it knows.
        width: Size of a character's embedding.
        units: Size of the cell's state.

    Returns:
        A model from int32 [N, T] indices of characters to float32 [N, T, vocabulary_size] logits of
        the next ones. Its layer `vocabulary` stores the characters.
    """
    return keras.Sequential(
        [
            *_read_characters(vocabulary_size, width),
            SteppedLSTM(units, return_sequences=True, name="lstm"),
            layers.Dense(vocabulary_size, dtype="float32", name="logits"),
        ],
        name="text_rnn",
    )


def build_text_transformer(
    vocabulary_size: int = 96, width: int = 128, heads: int = 4, blocks: int = 3
) -> keras.Model:
    """Builds a small decoder-only transformer over characters, untrained.

    It follows GPT-2 (Radford et al. 2019), with the normalization before each part, but takes the
    positions from ALiBi, and joins each character with the five before it, which saves the first
    block from learning to do so.

    Args:
        vocabulary_size: Number of characters that it knows.
        width: Size of the vectors between the blocks.
        heads: Attention heads per block.
        blocks: Number of blocks.

    Returns:
        A model from int32 [N, T] indices of characters to float32 [N, T, vocabulary_size] logits of
        the next ones. Its layer `vocabulary` stores the characters.
    """
    return keras.Sequential(
        [
            *_read_characters(vocabulary_size, width // 4),
            CausalConvolution(width, 6, padding="causal", name="join"),
            *(TransformerBlock(heads, name=f"block{index}") for index in range(1, blocks + 1)),
            layers.LayerNormalization(name="norm"),
            layers.Dense(vocabulary_size, dtype="float32", name="logits"),
        ],
        name="text_transformer",
    )


def _read_characters(vocabulary_size: int, width: int) -> list[keras.Layer]:
    return [
        keras.Input((None,), dtype="int32", name="characters"),
        Vocabulary(vocabulary_size, BYTES_PER_CHARACTER, name="vocabulary"),
        layers.Embedding(vocabulary_size, width, name="embedding"),
    ]
