"""The four services of a node: a trio driver for the machines, HTTP, and the connections between nodes."""
