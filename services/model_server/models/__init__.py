"""Models and their versions: found on disk, loaded, lent, unloaded."""
