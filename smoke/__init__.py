"""Judges a tree of container services: what each would do when started, what it would contain, and whether it does."""
