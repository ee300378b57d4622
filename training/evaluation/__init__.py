"""Measurements of exported models, and the figures of single experiments."""
