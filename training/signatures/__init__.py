"""The tasks: one a file; each turns a Keras model into signatures of a SavedModel."""
