"""Trains networks on Fashion-MNIST and exports them to `models/NAME/VERSION`."""
