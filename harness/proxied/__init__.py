"""A hunted scenario against real nodes: faults of links by a proxy, and the same invariants over their journals."""
