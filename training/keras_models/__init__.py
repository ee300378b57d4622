"""The user's own Keras model: read, rebuilt to end in logits, exported with every task that fits.

source ──► reading ──► rebuilding ──► tasks ──► export ──► models/NAME/VERSION
.keras, .h5            pixels in,     a signature   written, checked, then published
module:function        logits out     for each
keras:NAME
"""
