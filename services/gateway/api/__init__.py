"""The HTTP API: v1 is TensorFlow Serving's with our tasks, v2 the Open Inference Protocol."""
