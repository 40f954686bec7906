"""Live checks: a node's four services run for real, in containers or as processes, exercised and fault-tested."""
