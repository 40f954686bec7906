"""Servers that Python projects are started with: which module they load, what they need, where they listen."""
