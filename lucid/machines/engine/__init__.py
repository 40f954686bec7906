"""The engine: a validator's promises, in parts that each have one charge.

`machine` keeps the promises; `signer` has the key and the log of its votes, and `proposer` leads; `viewstate` is where
the engine stands in its view, and `timeout` how long it waits there; `polls` counts the votes of others; `admission`
and `mempool` hold what clients and peers hand in.
"""

from lucid.machines.engine.machine import Engine

__all__ = ["Engine"]
