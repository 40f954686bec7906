"""Lucid: a blockchain core for fleets of Raspberry Pis."""

__version__ = "0.1.0"
