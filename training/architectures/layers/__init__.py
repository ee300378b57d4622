"""Layers that Keras does not have, serializable like its own."""
