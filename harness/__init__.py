"""What judges simulated runs: invariants, the trace hash, metrics and the report a person looks at."""
