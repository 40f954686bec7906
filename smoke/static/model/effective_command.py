"""The effective command of a container: ENTRYPOINT and CMD composed, and how they are written."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class Form(Enum):
    """How ENTRYPOINT and CMD are written."""

    EXEC = "exec"
    SHELL_COMMAND = "shell command"
    SHELL_ENTRYPOINT = "shell entrypoint"
    """CMD is ignored then."""


class WrittenCommand(Struct, frozen=True):
    """ENTRYPOINT and CMD as they are written, and where."""

    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    form: Form
    line: int
    """0 where only the base says them."""
    file: str = ""
    """The Compose file that says them; empty for a Dockerfile."""


class Start(Struct, frozen=True):
    """The effective command: ENTRYPOINT and CMD composed with the base's own."""

    words: tuple[str, ...] = ()
    line: int = 0
    program: str = ""
    """Absolute path of what is executed; empty when it is not found or cannot be told."""
    python: str = ""
    """Version of the Python that runs it; empty when the base's does or it is not known."""
    module: str = ""
    """Module that Python runs (`-m`), or that a server is given (`module:app`)."""
    application: str = ""
    """Name of the app object when a server is given one; `server` is then its program."""
    server: str = ""
    arguments: tuple[str, ...] = ()
    """What the server or module is given."""
    needs: tuple[str, ...] = ()
    """Modules that must be installed for it besides what its code imports: the server itself, its workers."""
    also: tuple[str, ...] = ()
    """Modules that the command names besides."""
    factory: bool = False
    """Whether the app object is a function that makes it."""
    temporary: bool = False
    """Whether its server makes a file where temporary files go."""
    calls: bool = False
    """Whether the program calls `application` and ends with it, as the scripts of distributions do."""
    demanded: tuple[str, ...] = ()
    """Variables without which its entry script ends."""
    alone: bool = False
    """Whether whoever runs the image is to give its arguments: there is an ENTRYPOINT without a CMD."""
    writes: tuple[str, ...] = ()
    """Files that the command makes as it starts, as it names them."""
    written: tuple[str, ...] = ()
    """Files that its entry script must be able to write, absolute."""
    ran: tuple[tuple[str, ...], ...] = ()
    """Commands that its entry script runs before it, and that have to succeed."""
    proxied: bool = False
    """Whether its entry script starts a proxy, which may stand in front of it."""
    port: int | None = None
    """Where the server listens, by its command and its defaults; none when that cannot be told."""
    host: str = ""
    """The address that it listens at; empty when that cannot be told."""
    script: str = ""
    """Absolute path in the image of the file that Python runs."""
    workdir: str = ""
    """The working directory that it is in; empty when it is the image's."""
    search: tuple[str, ...] = ()
    """`sys.path` in force, absolute, in order, standard library left out: script's directory or working directory,
    PYTHONPATH, site directories."""
    trouble: str = ""
    """Why this would not start at all: one sentence; empty when nothing speaks against it."""
    doubt: str = ""
    """Why it cannot be told what starts; empty when it can."""
    file: str = ""
    """The Compose file that says it; empty when the Dockerfile or its base does."""
