"""Runs the command line as `python -m lectern`."""

from lectern.cli import main

main()
