"""Loaded models: SavedModels and TensorFlow Lite files."""
