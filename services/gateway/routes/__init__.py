"""The calls of the gateway: one task or one concern a file."""
