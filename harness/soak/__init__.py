"""A soak: a devnet of four under a session a second, while failures are injected again and again, by a seed."""
