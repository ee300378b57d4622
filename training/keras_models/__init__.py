"""Reads a user's own Keras model, rebuilds it to end in logits, and exports it with its tasks.

source ──► reading ──► rebuilding ──► tasks ──► export ──► models/NAME/VERSION
.keras, .h5            pixels in,     a signature   written, checked, then published
module:function        logits out     for each
keras:NAME
"""
