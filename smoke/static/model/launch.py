"""How a container is started beside what its image says: by a service of a Compose file."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field


class MountKind(StrEnum):
    """What is mounted."""

    TREE = "tree"
    """A file or directory of the tree."""
    UNKNOWN = "unknown"
    """Something of the machine: nothing is known of it."""
    VOLUME = "volume"
    """A volume, which begins with what the image has there."""
    EMPTY = "empty"
    """A file system in memory."""


class Mount(Struct, frozen=True):
    """One mount over the image."""

    kind: MountKind
    target: str
    """Absolute path in the container."""
    source: str = ""
    """Path of the tree, for that kind."""
    line: int = 0


class Launch(Struct, frozen=True):
    """What a Compose service says about its container. What is None is left to the image."""

    name: str
    file: str
    line: int
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    start_line: int = 0
    """Line of whichever of the two decides."""
    contexts: tuple[str, ...] = ()
    """Names of the further contexts that its build is given."""
    published: frozenset[int] = frozenset()
    """Ports of the container that are published; empty where not all can be told."""
    by_hand: bool = False
    """Whether someone may start it and type: it has a terminal, or belongs to a profile."""
    user: str | None = None
    workdir: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    """Variables with their values; one that the machine gives has the text `${NAME}`."""
    environment_doubt: str = ""
    """Why more variables may be given than these; empty when none are."""
    read_only: bool = False
    """Whether nothing but what is mounted can be written to."""
    mounts: tuple[Mount, ...] = ()
