"""The embedded model server, which speaks TensorFlow Serving's protocol on one machine."""
