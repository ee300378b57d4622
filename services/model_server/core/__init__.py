"""Finds, loads, holds, swaps and runs models; knows nothing of gRPC or HTTP."""
