"""The command line `lectern`, which joins training and services: neither imports the other."""
