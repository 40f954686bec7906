"""The hunt: draws networks and their faults from seeds, judges each run, and makes of a broken one a page to read."""
