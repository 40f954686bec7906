"""Lucid: a blockchain core for fleets of Raspberry Pis."""
