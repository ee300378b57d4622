"""Prometheus metrics, by TensorFlow Serving's names."""
