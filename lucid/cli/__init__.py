"""The `lucid` command."""
