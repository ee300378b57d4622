"""The tasks of autoencoders, variational autoencoders, and generators of images."""

from __future__ import annotations

import keras

from training.errors import KerasModelError
from training.keras_models.pixels import Layers, find_pixels
from training.keras_models.plan import Options, Plan, image_shape, refuse_labels
from training.keras_models.reading import Source
from training.keras_models.rebuilding import (
    append,
    is_transparent,
    rebuild,
)
from training.signatures.compress import compress, decompress
from training.signatures.generate import generate
from training.signatures.latent import decode_latent, encode_latent
from training.signatures.predict_tensors import output_names, predict_tensors
from training.signatures.reconstruct import reconstruct


def plan_autoencoder(source: Source, options: Options) -> Plan:
    """Returns the contents of an export of a model from images to images of the same shape.

    Raises:
        KerasModelError: The options do not fit the model, or a required option is missing.
    """
    refuse_labels(options)
    model = source.model
    halves = _halves(model, options.encoder)
    pixels = find_pixels(model, options.pixels, source.family)
    if pixels.to_images is None:
        raise KerasModelError(
            f"Received --pixels {options.pixels}, expected 0..255, 0..1 or -1..1: an autoencoder's "
            "output has the same pixel range as its input."
        )
    shape = image_shape(model, options.image_size)
    if halves is not None and len(halves[0].outputs) > 1:
        return _plan_variational(*halves, pixels.layers, pixels.to_images, shape)
    whole = append(rebuild(model, pixels.layers, shape), pixels.to_images)
    plan = Plan("autoencoder", whole, ["images"], [reconstruct(whole)])
    if halves is None:
        reason = "no layers are named encoder and decoder; name the code's layer with --encoder"
        plan.skipped.update(dict.fromkeys(["compress", "decompress"], reason))
        return plan
    encoder, decoder = halves
    if len(encoder.output_shape) != 2:
        plan.skipped.update(
            dict.fromkeys(
                ["compress", "decompress"], f"the code is {encoder.output_shape}, not [N, K]"
            )
        )
        return plan
    plan.signatures += [
        compress(rebuild(encoder, pixels.layers, shape)),
        decompress(append(decoder, pixels.to_images)),
    ]
    return plan


def _plan_variational(
    encoder: keras.Model,
    decoder: keras.Model,
    pixels: Layers,
    to_images: Layers,
    shape: tuple[int, int, int],
) -> Plan:
    """Returns the contents of an export of an encoder to a mean and a log variance, and a decoder.

    Reconstructions are those of the mean, which are the same for every call.
    """
    opened = rebuild(encoder, pixels, shape)
    mean, log_variance, *_ = opened.outputs
    decoder = append(decoder, to_images)
    whole = keras.Model(opened.inputs[0], decoder(mean))
    signatures = [
        reconstruct(whole),
        encode_latent(keras.Model(opened.inputs[0], [mean, log_variance])),
        decode_latent(decoder),
        generate(decoder),
    ]
    return Plan("variational autoencoder", whole, ["images"], signatures)


def _halves(model: keras.Model, encoder: str | None) -> tuple[keras.Model, keras.Model] | None:
    """Returns the encoder and the decoder of an autoencoder, or None if they cannot be found."""
    by_name = {layer.name: layer for layer in model.layers}
    if encoder is not None:
        if encoder not in by_name:
            raise KerasModelError(f"The model has no layer {encoder}; it has {', '.join(by_name)}.")
        # Rebuilt, so that every layer has one output.
        opened = rebuild(model, lambda images: images, model.input_shape[1:])
        code = opened.get_layer(encoder).output
        return keras.Model(opened.inputs[0], code), keras.Model(code, opened.outputs[0])
    found = by_name.get("encoder"), by_name.get("decoder")
    if all(isinstance(half, keras.Model) and is_transparent(half) for half in found):
        return found
    return None


def plan_generator(source: Source, options: Options) -> Plan:
    """Returns the contents of an export of a model from latent vectors to images.

    Raises:
        KerasModelError: The options do not fit the model, or a required option is missing.
    """
    refuse_labels(options)
    pixels = find_pixels(source.model, options.pixels, source.family)
    if pixels.to_images is None:
        raise KerasModelError("Expected --pixels 0..255, 0..1 or -1..1: the range of the images.")
    decoder = append(source.model, pixels.to_images)
    signatures = [predict_tensors(decoder), decode_latent(decoder), generate(decoder)]
    return Plan("generator", decoder, output_names(decoder), signatures)
