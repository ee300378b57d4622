"""TensorFlow Serving's REST JSON."""
