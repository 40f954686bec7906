"""What the checks look at: the tree, its manifest and the images that its Dockerfiles would make."""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct

from smoke.manifest import Manifest
from smoke.static.model.image import Image
from smoke.static.plans import Plans
from smoke.static.python.program import Programs
from smoke.tree import Tree


class Scope(Struct, frozen=True, dict=True):
    """Given to each module of `smoke/static/checks`: `CHECKS` lists its checks, `run(scope)` yields their findings.

    A check yields at least one finding for each subject that it is about, in a fixed order: a pass, the failures or a
    skip. It reads the tree through `tree` only, and never raises on what stands in a file."""

    tree: Tree
    manifest: Manifest
    plans: Plans
    images: tuple[Image, ...]
    """One for each service of the manifest, in its order; services found in a tree without a manifest among them."""

    @cached_property
    def programs(self) -> Programs:
        """What the images run, worked out when a check first asks."""
        return Programs(self.tree)
