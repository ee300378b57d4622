"""TensorFlow Serving's wire API in Python, without importing TensorFlow."""
