"""The catalog of faults: one file a kind. A new file is found by itself."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Union

from sim.faults.fault import Fault


def _kinds() -> dict[str, type[Fault]]:
    found: dict[str, type[Fault]] = {}
    for module in sorted(module.name for module in iter_modules(__path__)):
        for each in vars(import_module(f"{__name__}.{module}")).values():
            if isinstance(each, type) and issubclass(each, Fault) and "__abstract__" not in each.__dict__:
                found[str(each.__struct_config__.tag)] = each
    return dict(sorted(found.items()))


KINDS = _kinds()
"""Every kind of fault by its name."""

if TYPE_CHECKING:
    AnyFault = Fault
else:
    AnyFault = Union[tuple(KINDS.values())]  # noqa: UP007  # made of what is found
