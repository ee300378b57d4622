"""The text-format configuration files."""
