"""TensorFlow Serving's gRPC services over the core."""
