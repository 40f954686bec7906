"""What goes wrong with a live node: it needs nothing that a node does."""

from __future__ import annotations


class LiveError(Exception):
    """The node can't be run here; the text is one sentence."""


class NotPossible(LiveError):
    """What a check needs can't be had from this engine: no fault of the node's."""
