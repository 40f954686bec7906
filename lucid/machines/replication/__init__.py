"""Replication as a machine: who should hold a chunk, who is asked for it, what counts as held, what is said of it.

It moves no bytes: its driver keeps those that come, and tells whether they are the chunk's and durable. Which copies
may go is decided elsewhere (`lucid.services.chunks.collection`).
"""

from lucid.machines.replication.machine import Replicator

__all__ = ["Replicator"]
