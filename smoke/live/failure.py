"""What goes wrong with a live node: it needs nothing that a node does."""

from __future__ import annotations


class LiveError(Exception):
    """The node cannot be run here; the text is one sentence."""


class NotPossible(LiveError):
    """What a check needs cannot be had from this engine: no fault of the node's."""
