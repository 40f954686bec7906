"""Which packages a node_modules has, as far as that is known."""

from __future__ import annotations

from msgspec import Struct


class NodeModules(Struct, frozen=True):
    """What is known of one node_modules."""

    every: frozenset[str]
    """Packages that are asked for; all at its top where a lock file names them."""
    production: frozenset[str]
    """Those of them that more than development needs."""
    omitted: bool = False
    """Whether the others are left out."""
    locked: bool = False

    def may_have(self, package: str) -> bool:
        """Whether a package may be in it: what is not asked for may come with another, where no lock file says."""
        if package in self.production:
            return True
        return not self.omitted if package in self.every else not self.locked

    def lacks(self, package: str) -> str:
        """Why a package is not in it, as a clause."""
        return "a development dependency, which is left out" if package in self.every else "which nothing installs"
