"""Fuzzers: hostile input, made from a seed, against what takes input from outside. `python -m fuzz --help`."""
