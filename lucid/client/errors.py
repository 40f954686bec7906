"""What can go wrong with the files of a session."""

from __future__ import annotations

from lucid.chain.errors import Code, LucidError


class BundleError(LucidError):
    """Files cannot be put into a session, or a session's bytes are none; `detail` names the file."""

    def __init__(self, detail: str) -> None:
        super().__init__(Code.REQUEST, detail)


class NameTaken(BundleError):
    """A file of a session cannot be written where another one is."""
