"""The command line `lectern`, which uses both training and services; neither imports the other."""
