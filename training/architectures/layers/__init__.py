"""Custom Keras layers, serializable like the built-in ones."""
