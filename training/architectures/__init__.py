"""The networks: one a file, with one public builder each."""
