"""The feature visualization task: images that maximize the activation of a channel.

The method follows Lucid (Olah et al. 2017, https://distill.pub/2017/feature-visualization):
gradient ascent on the image's Fourier coefficients, with jitter. Colour images are made in a colour
space in which the channels are as little correlated as in photographs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.signatures.shared_functions import layers_of
from training.signatures.signature import Signature, make_signature

LEARNING_RATE = 0.05
COLOURS = 3  # Red, green and blue.
JITTER = 2  # pixels
LEAK = 0.1  # Slope of the leaky ReLU in the objective.
START_DEVIATION = 0.01  # Standard deviation of the initial coefficients.

# Square root of the covariance of red, green and blue (rows) over ImageNet's photographs, from
# https://github.com/tensorflow/lucid/blob/master/lucid/optvis/param/color.py. The columns are about
# brightness, blue to yellow, and green to magenta.
COLOUR_COVARIANCE_ROOT = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))


def feature_visualization(model: keras.Model, layer_name: str, steps: int = 64) -> Signature:
    """Returns the signature `feature_visualization_LAYER`.

    Inputs: `channel` int32 [N], 0 to F-1; others fail the request with INVALID_ARGUMENT. `seed`
    int32 [N] determines the initial image.
    Outputs: `images` float32 [N, H, W, C], 0 to 255; `activation` float32 [N], the mean activation
    of the channel for each image.

    Args:
        model: A functional or sequential model from [N, H, W, C] images, 0 to 255.
        layer_name: Name of a layer whose output is [N, h, w, F] or [N, F].
        steps: Steps of gradient ascent; 0 returns the initial image.

    Raises:
        ValueError: The model has no such layer.
    """
    layer = model.get_layer(layer_name)
    layers, channels = layers_of(model), layer.output.shape[-1]
    pre_activation = _pre_activation(model, layer)
    image_shape = model.input_shape[1:]
    scale = _frequency_scale(image_shape)
    jitter = np.random.default_rng(0).integers(-JITTER, JITTER, (max(1, steps), 2), endpoint=True)
    shifts = tf.constant(jitter, tf.int32)

    def visualize(channel: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        channel = _check_channel(channel, channels)
        # Half of the rows are stored: the others are the same in reverse.
        whole = tf.concat([scale, tf.reverse(scale[1 : (image_shape[0] + 1) // 2], [0])], axis=0)
        render = partial(_render, scale=whole, image_shape=image_shape)

        def objective(coefficients: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
            # All images alike, and around the edges: an image made of waves is periodic.
            images = tf.roll(render(coefficients), shifts[step], axis=[1, 2])
            return _channel_mean(tf.nn.leaky_relu(pre_activation(images), LEAK), channel)

        start = _start_coefficients(seed, image_shape)
        images = render(_ascend(objective, start, steps))
        activation = _channel_mean(layers(images)[layer_name], channel)
        return {"images": images, "activation": activation}

    specs = [tf.TensorSpec([None], tf.int32, name=name) for name in ("channel", "seed")]
    example = {"channel": np.zeros(1, np.int32), "seed": np.zeros(1, np.int32)}
    return make_signature(f"feature_visualization_{layer_name}", visualize, specs, example)


def _pre_activation(model: keras.Model, layer: keras.Layer) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns a function from images to the layer's output before its activation function.

    Gradient ascent needs it, since the gradient of an inactive ReLU is zero.
    """
    if isinstance(layer, keras.layers.ReLU):
        return partial(keras.Model(model.inputs[0], layer.input), training=False)
    if not hasattr(layer, "activation"):
        return partial(keras.Model(model.inputs[0], layer.output), training=False)
    inputs = keras.Model(model.inputs[0], layer.input)
    linear = type(layer).from_config({**layer.get_config(), "activation": "linear"})
    linear.build(layer.input.shape)

    def pre_activation(images: tf.Tensor) -> tf.Tensor:
        weights = [variable.value for variable in layer.trainable_variables]
        frozen = [variable.value for variable in layer.non_trainable_variables]
        outputs, _ = linear.stateless_call(weights, frozen, inputs(images, training=False))
        return outputs

    return pre_activation


def _check_channel(channel: tf.Tensor, count: int) -> tf.Tensor:
    """Returns the channels, and fails if one is outside 0 to `count - 1`."""
    inside = (channel >= 0) & (channel < count)
    expected = f"channel must be 0 to {count - 1}; received"
    # Out of range, gather fails on a CPU but silently returns zero on a GPU.
    with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(inside), [expected, channel])]):
        return tf.identity(channel)


def _channel_mean(features: tf.Tensor, channel: tf.Tensor) -> tf.Tensor:
    """Returns the mean of one channel per example, [N], from features [N, ..., F]."""
    spatial_axes = list(range(1, len(features.shape) - 1))
    return tf.gather(tf.reduce_mean(features, axis=spatial_axes), channel, batch_dims=1)


def _start_coefficients(seed: tf.Tensor, image_shape: tuple[int, int, int]) -> tf.Tensor:
    """Returns real and imaginary parts of small random coefficients, [N, 2, C, H, W//2+1]."""
    height, width, channels = image_shape
    shape = [2, channels, height, width // 2 + 1]

    def draw(one: tf.Tensor) -> tf.Tensor:
        return tf.random.stateless_normal(shape, [one, 0], stddev=START_DEVIATION, alg="philox")

    return tf.map_fn(draw, seed, fn_output_signature=tf.TensorSpec(shape, tf.float32))


def _frequency_scale(image_shape: tuple[int, int, int]) -> npt.NDArray[np.float32]:
    """Returns the weight of each coefficient, of the first H//2+1 rows: [H//2+1, W//2+1].

    Lower frequencies have more weight, as in natural images. Without that, gradient ascent ends in
    high-frequency noise.
    """
    height, width, _ = image_shape
    frequencies = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    scale = np.sqrt(height * width) / np.maximum(frequencies, 1 / max(height, width))
    half: npt.NDArray[np.float32] = scale[: height // 2 + 1].astype(np.float32)
    return half


def _render(
    coefficients: tf.Tensor, scale: tf.Tensor, image_shape: tuple[int, int, int]
) -> tf.Tensor:
    """Returns the images of coefficients: from [N, 2, C, H, W//2+1] to [N, H, W, C], 0 to 255."""
    height, width, channels = image_shape
    real, imaginary = tf.unstack(coefficients * scale, axis=1)
    pixels = tf.signal.irfft2d(tf.complex(real, imaginary), [height, width])
    pixels = tf.transpose(pixels, [0, 2, 3, 1])
    return 255 * tf.sigmoid(_correlate_colours(pixels) if channels == COLOURS else pixels)


def _correlate_colours(pixels: tf.Tensor) -> tf.Tensor:
    """Returns red, green and blue of uncorrelated channels, [N, H, W, 3]."""
    root = np.array(COLOUR_COVARIANCE_ROOT, np.float32)
    return tf.tensordot(pixels, root.T / np.linalg.norm(root, axis=0).max(), axes=1)


def _ascend(
    objective: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], start: tf.Tensor, steps: int
) -> tf.Tensor:
    """Maximizes the objective of each example with Adam (https://arxiv.org/abs/1412.6980)."""

    def ascend(
        step: tf.Tensor, position: tf.Tensor, mean: tf.Tensor, square: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(position)
            value = objective(position, step)
        gradient = tape.gradient(value, position)
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        count = tf.cast(step + 1, tf.float32)
        direction = (mean / (1 - 0.9**count)) / (tf.sqrt(square / (1 - 0.999**count)) + 1e-8)
        return step + 1, position + LEARNING_RATE * direction, mean, square

    zeros = tf.zeros_like(start)
    loop = (tf.constant(0), start, zeros, zeros)
    return tf.while_loop(lambda step, *_: step < steps, ascend, loop)[1]
