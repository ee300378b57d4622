"""Ports the weights of networks from other libraries, and compares the results."""
