"""A compiled product, for commands that switch safeguards off: they refuse it."""

from __future__ import annotations

from lucid.cli.failure import Failure


def refuse_compiled() -> None:
    """Raise `Failure` where no safeguard can be switched off."""
    from lucid.provenance import is_compiled

    if is_compiled():
        raise Failure(
            "a safeguard is switched off in its source, and what runs here is compiled: install the pure wheel"
        )
