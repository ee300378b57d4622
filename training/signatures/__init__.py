"""The signatures of exported models: one task per file, each built from a Keras model."""
