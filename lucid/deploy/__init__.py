"""Putting a node on a host over SSH, watching it, upgrading it and going back."""
