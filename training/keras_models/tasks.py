"""Chooses the tasks to export for a Keras model, with the reasons for leaving out the others."""

from __future__ import annotations

import keras

from training.keras_models.autoencoders import plan_autoencoder, plan_generator
from training.keras_models.classifiers import plan_classifier
from training.keras_models.plan import Options, Plan, refuse_labels, shape_text
from training.keras_models.reading import Source
from training.keras_models.tensors import plan_tensors


def plan_export(source: Source, options: Options) -> Plan:
    """Returns the contents of an export of a model.

    Raises:
        KerasModelError: The options do not fit the model, or a required option is missing.
    """
    model = source.model
    if len(model.inputs) == len(model.outputs) == 1:
        takes_images, gives_images = _is_image(model.inputs[0]), _is_image(model.outputs[0])
        if takes_images and len(model.outputs[0].shape) == 2:
            return plan_classifier(source, options)
        if takes_images and model.output_shape[1:] == model.input_shape[1:]:
            return plan_autoencoder(source, options)
        if gives_images and len(model.inputs[0].shape) == 2:
            return plan_generator(source, options)
    refuse_labels(options)
    shapes = ", ".join(shape_text(each) for each in model.outputs)
    known = "an image classifier, autoencoder or generator"
    return plan_tensors(model, f"the model is not {known}: it outputs {shapes}")


def _is_image(tensor: keras.KerasTensor) -> bool:
    return len(tensor.shape) == 4 and tensor.shape[-1] in {1, 3, 4}
