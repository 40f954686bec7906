"""The block manager: a node's facts, in parts that each have one charge.

`machine` takes each event to its part. `book` takes certificates and makes blocks final; `pool` holds what leaders put
forward, and what of it waits; `proposals` judges that; `gaps` asks for what it lacks; `leading` makes this node's own;
`dissemination` sends it out, and passes on that of others, in the groups of `relay`; `syncing` and `snapshots` bring a
node level; `serving` answers who is behind; `forgeries` counts what does not hold.
"""

from lucid.machines.manager.machine import Manager

__all__ = ["Manager"]
