"""The image as far as it can be known without building it: what checks read."""

from __future__ import annotations

from dataclasses import dataclass, field

from smoke.manifest import Base, Service
from smoke.static.dockerfile.instructions import Dockerfile, ParseError
from smoke.static.dockerfile.stages import Stage, Stages
from smoke.static.model.filesystem import FileSystem
from smoke.static.model.launch import Launch
from smoke.static.model.programs import Surroundings


@dataclass(frozen=True)
class Install:
    """One installation of Python distributions that ends up in the image (in its own stage or copied from another)."""

    line: int
    requirements: tuple[str, ...] = ()
    """Requirement files, as paths of the tree."""
    distributions: tuple[str, ...] = ()
    """Requirements given on the command line, as written."""
    directory: str = ""
    """Where the final stage has what was installed; empty when that can't be told."""
    visible: bool | None = None
    """Whether the final user's Python looks there; none when that can't be told."""
    doubt: str = ""
    """Why not everything about it is known; empty when it is."""


@dataclass(frozen=True)
class Start:
    """The effective command: ENTRYPOINT and CMD composed with the base's own."""

    words: tuple[str, ...] = ()
    line: int = 0
    program: str = ""
    """Absolute path of what is executed; empty when it is not found or can't be told."""
    module: str = ""
    """Module that Python runs (`-m`), or that an ASGI server is given (`module:app`)."""
    application: str = ""
    """Name of the app object when a server is given one; `server` is then its program."""
    server: str = ""
    script: str = ""
    """Absolute path in the image of the file that Python runs."""
    search: tuple[str, ...] = ()
    """`sys.path` in force, absolute, in order, standard library left out: script's directory or working directory,
    PYTHONPATH, site directories."""
    trouble: str = ""
    """Why this would not start at all: one sentence; empty when nothing speaks against it."""
    doubt: str = ""
    """Why it can't be told what starts; empty when it can."""
    file: str = ""
    """The Compose file that says it; empty when the Dockerfile or its base does."""


@dataclass(frozen=True)
class Health:
    """The HEALTHCHECK in force."""

    line: int
    words: tuple[str, ...] = ()
    """What is run; in shell form the shell's text alone."""
    shell_form: bool = False
    disabled: bool = False
    """HEALTHCHECK NONE."""


@dataclass(frozen=True)
class Failure:
    """A command of a RUN that surely fails, so that the build stops there."""

    line: int
    message: str


@dataclass(frozen=True)
class Missing:
    """A COPY or ADD that finds nothing."""

    line: int
    source: str
    reason: str
    """Where it was looked for, and why it is not there."""


@dataclass(frozen=True)
class Label:
    """One label of the final stage."""

    name: str
    value: str
    line: int
    unset: tuple[str, ...] = ()
    """Variables in it that nothing had set there."""


@dataclass(frozen=True)
class Image:
    """The final stage of one service's Dockerfile."""

    service: Service
    dockerfile: str
    context: str | None
    """Build context (a directory of the tree; empty for the root); none when no likely one fits."""
    base: Base | None
    """The catalogue's (or manifest's) entry for the final base; none when the base is unknown."""
    base_reference: str
    files: FileSystem
    start: Start
    user: str = ""
    """As `USER` or the base says; empty when unknown."""
    workdir: str = "/"
    environment: dict[str, str] = field(default_factory=dict)
    user_line: int = 0
    launch: Launch | None = None
    """How Compose starts it, if it does; user, environment, working directory and files are then as it says."""
    homes: dict[str, str] = field(default_factory=dict)
    """Home directories of users by name and number, as far as known."""
    labels: dict[str, Label] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    ports_line: int = 0
    ports_doubt: str = ""
    """Why not every port is known."""
    platform: str = ""
    """What the final stage's FROM pins, expanded; empty when it pins nothing."""
    built_for: str = ""
    """Platform that is asked for, pinned or told by the base's tag, in this order; empty when nothing says."""
    health: Health | None = None
    missing: tuple[Missing, ...] = ()
    failures: tuple[Failure, ...] = ()
    """Commands that the build stops at, the first of each stage."""
    lacking: frozenset[str] = frozenset()
    """Names of programs that are surely in no directory of the system."""
    users: frozenset[str] | None = None
    """Names of all users; none when more may be there."""
    refused: tuple[ParseError, ...] = ()
    """Instructions that Docker stops at as it comes to them."""
    contexts: tuple[tuple[str, tuple[Missing, ...]], ...] = ()
    """The likely build contexts that were tried, with what each lacks."""
    installs: tuple[Install, ...] = ()
    parsed: Dockerfile = field(default_factory=Dockerfile)
    stages: Stages = field(default_factory=Stages)
    final: Stage | None = None

    def surroundings(self) -> Surroundings:
        """What decides which program a name means in the container."""
        return Surroundings(self.files, self.environment.get("PATH", ""), self.workdir, self.lacking)

    broken: str = ""
    """Why nothing is known of this image (its Dockerfile is missing or can't be parsed); then the rest is empty."""
