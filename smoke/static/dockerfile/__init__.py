"""Reads Dockerfiles: instructions, stages, variables, and what .dockerignore leaves of a build context."""
