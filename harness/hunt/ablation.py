"""Ablations: safeguards of the machines, switched off one at a time outside their code, to see that the hunt notices.

Each is a replacement in the source of one method, compiled into its class for as long as the ablation lasts. A text
that is no longer there is an error, so that an ablation cannot outlive what it switches off.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

from harness.hunt.safeguards import SAFEGUARDS, Safeguard
from harness.verdict import RunVerdict


class AblationError(Exception):
    """A safeguard's text is not in the method that it names; one sentence."""


class Ablation(NamedTuple):
    """What a hunt without one safeguard came to."""

    name: str
    profile: str
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
    """Run without a safeguard and those that stand behind it; raises `AblationError`."""
    safeguards = [SAFEGUARDS[each] for each in (name, *SAFEGUARDS[name].also)]
    methods = {(each.owner, each.method): each.owner.__dict__[each.method] for each in safeguards}
    for owner, method in methods:
        here = [each for each in safeguards if (each.owner, each.method) == (owner, method)]
        setattr(owner, method, _compiled(owner, method, here))
    try:
        yield
    finally:
        for (owner, method), original in methods.items():
            setattr(owner, method, original)


def _compiled(owner: type, method: str, safeguards: Iterable[Safeguard]) -> object:
    """The method with the texts of its safeguards replaced."""
    source = textwrap.dedent(inspect.getsource(owner.__dict__[method]))
    label = ""
    for each in safeguards:
        if source.count(each.old) != 1:
            found = source.count(each.old)
            raise AblationError(f"{owner.__name__}.{method} has {each.old!r} {found} times: {each.name} is stale")
        source = source.replace(each.old, each.new)
        label = label or each.name
    names: dict[str, object] = {}
    text = "from __future__ import annotations\n" + source
    exec(compile(text, f"<without {label}>", "exec"), vars(sys.modules[owner.__module__]), names)
    return names[method]
