"""Batching of concurrent requests, by TensorFlow Serving's parameters."""
