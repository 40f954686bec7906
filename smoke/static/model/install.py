"""An installation of Python distributions: what is installed, where, and what for."""

from __future__ import annotations

from msgspec import Struct

from smoke.static.model.filesystem import PathEntry


class MadeFor(Struct, frozen=True):
    """What an installation is made for; what is not known is empty."""

    python: str = ""
    """Version, as in `3.12`."""
    libc: str = ""
    """`glibc` or `musl`; `none` for another system than Linux."""
    machine: str = ""
    """As wheels name it: `x86_64`, `aarch64`."""
    told: bool = False
    """Whether the installer was told a platform other than its own."""


class InstalledProject(Struct, frozen=True):
    """A directory of the tree that is installed."""

    directory: str
    """In the tree."""
    place: str
    """In the stage that installs it."""
    extras: tuple[str, ...] = ()
    editable: bool = False
    optional: bool = False
    """A tool installs it beside its dependencies, if it is a package at all."""
    alone: bool = False
    """Only what it depends on is installed."""
    packed: tuple[tuple[str, PathEntry], ...] = ()
    """What its wheel holds, where that was made beforehand: paths below the directory that it is installed to."""
    whole: tuple[str, ...] = ()
    """Packages among it that hold nothing more."""


class Lock(Struct, frozen=True):
    """What a tool takes from a lock file."""

    kind: str
    """`uv`, `poetry`, `pipenv`, `pdm`."""
    path: str
    """In the tree; empty when there is none: then what the project asks for is installed, in whatever version."""
    project: str
    """Directory of the tree with the project's own file."""
    extras: tuple[str, ...] = ()
    every_extra: bool = False
    groups: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    development: bool = False
    """Whether the groups that are installed by default are."""
    every_group: bool = False
    main: bool = True
    """Whether the project's own dependencies are."""
    package: str = ""
    """The one member of a workspace."""
    every_package: bool = False


class Install(Struct, frozen=True):
    """One installation of Python distributions that ends up in the image (in its own stage or copied from another)."""

    line: int
    requirements: tuple[str, ...] = ()
    """Requirement files, as paths of the tree."""
    distributions: tuple[str, ...] = ()
    """Requirements given on the command line, as written."""
    directory: str = ""
    """Where the final stage has what was installed; empty when that cannot be told."""
    visible: bool | None = None
    """Whether the final user's Python looks there; none when that cannot be told."""
    doubt: str = ""
    """Why not everything about it is known; empty when it is."""
    projects: tuple[InstalledProject, ...] = ()
    lock: Lock | None = None
    made: MadeFor = MadeFor()
    scripts: str = ""
    """Where the final stage has its programs."""
    interpreter: str = ""
    """The Python that the first line of these programs names."""
    house: bool = False
    """Wheels that are kept in a directory, and not installed."""
    no_dependencies: bool = False
    wheels: tuple[str, ...] = ()
    """Wheels of the tree that are at hand for it: given themselves, or in a directory of `--find-links`."""
    no_index: bool = False
    """Whether it has these alone to choose from."""
