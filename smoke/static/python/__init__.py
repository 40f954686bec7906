"""Reads Python without running it: modules, the names they define, what they import, what requirement files install."""
