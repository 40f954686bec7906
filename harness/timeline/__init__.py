"""The story of a run: what happened at each node along time, from a trace or journals, for a page or for Perfetto."""
