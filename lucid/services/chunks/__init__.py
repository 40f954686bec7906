"""Chunks at a node: kept on disk, referred to, copied to other nodes, read again, counted, and let go."""
