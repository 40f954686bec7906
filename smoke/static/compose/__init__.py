"""Reads Compose files: the part of YAML that they use, and what their services say."""
