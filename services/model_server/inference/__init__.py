"""Inference on the models of a manager, measured."""
