"""Ablations: safeguards of the machines, switched off one at a time outside their code, to see that the hunt notices.

Each is a replacement in the source of one method, compiled into its class for as long as the ablation lasts. A text
that is no longer there is an error, so that an ablation cannot outlive what it switches off.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

from harness.hunt.safeguards import SAFEGUARDS, Safeguard
from harness.verdict import RunVerdict


class AblationError(Exception):
    """A safeguard's text is not in the method that it names; one sentence."""


class Ablation(NamedTuple):
    """What a hunt without one safeguard came to."""

    name: str
    seeds: int
    failed: int
    first: int | None
    verdict: RunVerdict | Literal[""]
    """Of the first that failed; empty where none did."""
    invariant: str

    @property
    def per_thousand(self) -> float:
        """Failures per thousand seeds."""
        return round(1_000 * self.failed / self.seeds, 1) if self.seeds else 0.0


@contextmanager
def without(name: str) -> Iterator[None]:
    """Run without a safeguard; raises `AblationError`."""
    safeguard = SAFEGUARDS[name]
    owner, method = safeguard.owner, safeguard.method
    original = owner.__dict__[method]
    setattr(owner, method, _compiled(safeguard))
    try:
        yield
    finally:
        setattr(owner, method, original)


def _compiled(safeguard: Safeguard) -> object:
    """The method with its text replaced."""
    owner, method = safeguard.owner, safeguard.method
    source = textwrap.dedent(inspect.getsource(owner.__dict__[method]))
    if source.count(safeguard.old) != 1:
        found = source.count(safeguard.old)
        raise AblationError(f"{owner.__name__}.{method} has {safeguard.old!r} {found} times: {safeguard.name} is stale")
    names: dict[str, object] = {}
    text = "from __future__ import annotations\n" + source.replace(safeguard.old, safeguard.new)
    exec(compile(text, f"<without {safeguard.name}>", "exec"), vars(sys.modules[owner.__module__]), names)
    return names[method]
