"""Base images that are known: what they start, as whom, and what Python, shell and programs they have.

Sources: the images' published configuration and package lists. A base that is not here (or in the manifest) is unknown,
and nothing is assumed of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from smoke.manifest import Base
from smoke.patterns import matches
from smoke.static.model.bases.distroless import chainguard, distroless
from smoke.static.model.bases.official import official
from smoke.static.model.bases.vendors import of_conda, of_cuda, of_lambda, of_others, of_toolchain, of_uv


def find_base(reference: str, more: Iterable[Base]) -> Base | None:
    """The entry of the manifest (first) or of the catalog for an image's reference; none when it is unknown."""
    for base in more:
        if matches(base.image, reference):
            return base
    name = reference.partition("@")[0]
    if name == "scratch":
        return Base(image=reference, complete=True, distroless=True)
    if not name.partition(":")[0].strip("/"):
        return None
    kinds = (distroless, of_uv, of_lambda, chainguard, of_conda, official, of_toolchain, of_cuda, of_others)
    return next((found for kind in kinds if (found := kind(name)) is not None), None)


def is_slim(base: Base) -> bool:
    """Whether a base of the catalog is Debian with nothing but Python added."""
    plain = re.search(r"(?:^|/)(?:python:[^:]*slim|debian:)", base.image) is not None
    return plain and base.system == "debian" and "curl" in base.lacks
