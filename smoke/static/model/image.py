"""The image as far as it can be known without building it: what checks read."""

from __future__ import annotations

from enum import Enum, StrEnum

from msgspec import Struct, field

from smoke.manifest import Base, Service
from smoke.static.dockerfile.instructions import Dockerfile, ParseError
from smoke.static.dockerfile.stages import BuildStage, Stages
from smoke.static.model.filesystem import DoubtCause, FileSystem, PathEntry
from smoke.static.model.launch import Launch
from smoke.static.model.programs import Lacking, Surroundings
from smoke.static.regex import regex


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


class Venv(Struct, frozen=True):
    """A virtual environment: where it was made (its programs name that place) and the Python behind it."""

    made: str
    interpreter: str
    version: str = ""
    system: bool = False
    """Whether it sees the system's distributions too."""
    managed: bool = False
    """Whether uv fetched its Python."""


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


class Form(Enum):
    """How ENTRYPOINT and CMD are written."""

    EXEC = "exec"
    SHELL_COMMAND = "shell command"
    SHELL_ENTRYPOINT = "shell entrypoint"
    """CMD is ignored then."""


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


class HealthCheck(Struct, frozen=True):
    """The HEALTHCHECK in force."""

    line: int
    words: tuple[str, ...] = ()
    """What is run; in shell form the shell's text alone."""
    shell_form: bool = False
    disabled: bool = False
    """HEALTHCHECK NONE."""


class BuildFailure(Struct, frozen=True):
    """A command of a RUN that surely fails, so that the build stops there."""

    line: int
    message: str
    lacks: str = ""
    """The program that it lacks, if that is why."""


class Lack(StrEnum):
    """Why a COPY or ADD finds nothing."""

    CONTEXT = "context"
    """It is not in the build context."""
    IGNORED = "ignored"
    """It is in the tree, and .dockerignore leaves it out of the context."""
    STAGE = "stage"
    """The stage that it is copied from does not make it."""


class Missing(Struct, frozen=True):
    """A COPY or ADD that finds nothing."""

    line: int
    source: str
    lack: Lack
    reason: str
    """Where it was looked for, and why it is not there."""


class Label(Struct, frozen=True):
    """One label of the final stage."""

    name: str
    value: str
    line: int
    unset: tuple[str, ...] = ()
    """Variables in it that nothing had set there."""


class Image(Struct, frozen=True):
    """The final stage of one service's Dockerfile."""

    service: Service
    dockerfile: str
    context: str | None
    """Build context (a directory of the tree; empty for the root); none when no likely one fits."""
    base: Base | None
    """The catalog's (or manifest's) entry for the final base; none when the base is unknown."""
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
    health: HealthCheck | None = None
    missing: tuple[Missing, ...] = ()
    failures: tuple[BuildFailure, ...] = ()
    """Commands that the build stops at, the first of each stage."""
    lacking: Lacking = field(default_factory=Lacking)
    """Names of programs that are surely in no directory of the system."""
    users: frozenset[str] | None = None
    """Names of all users; none when more may be there."""
    groups: frozenset[str] | None = None
    """Names of groups that may be there; none when others may, too."""
    refused: tuple[ParseError, ...] = ()
    """Instructions that Docker stops at as it comes to them."""
    contexts: tuple[tuple[str, tuple[Missing, ...]], ...] = ()
    """The likely build contexts that were tried, with what each lacks."""
    installs: tuple[Install, ...] = ()
    uid: int | None = None
    """The user's number; none when it is not known."""
    python: str = ""
    """Version of the image's own Python (not that of a virtual environment); empty when it has none or is unknown."""
    libc: str = ""
    packages: tuple[str, ...] = ()
    """Packages of the system that were asked for."""
    venvs: dict[str, Venv] = field(default_factory=dict)
    """Virtual environments by the place where the image has them."""
    parsed: Dockerfile = field(default_factory=Dockerfile)
    stages: Stages = field(default_factory=Stages)
    final: BuildStage | None = None

    def surroundings(self) -> Surroundings:
        """What decides which program a name means in the container."""
        return Surroundings(self.files, self.environment.get("PATH", ""), self.workdir, self.lacking)

    broken: str = ""
    """Why nothing is known of this image (its Dockerfile is missing or cannot be parsed); then the rest is empty."""

    @property
    def unstarted(self) -> str:
        """Why it is not known which Python code it starts, or that it starts none; empty when that is known."""
        if self.broken:
            return f"the Dockerfile cannot be followed: {self.broken}"
        if self.start.module or self.start.script:
            return ""
        return self.start.doubt or f"nothing would start: {self.start.trouble}"

    def has_library(self, names: tuple[str, ...]) -> bool | None:
        """Whether it has one of some shared libraries, each named as a program asks for it; none: unknown."""
        if any(path.rpartition("/")[2].startswith(names) for path in self.files.entries):
            return True
        if any(name.startswith("libgomp") for name in names) and any(_OPENMP.fullmatch(each) for each in self.packages):
            return True
        for directory in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/local/lib"):
            for doubt in self.files.every_doubt(directory):
                if doubt.cause not in (DoubtCause.BASE, DoubtCause.PACKAGES, DoubtCause.DISTRIBUTIONS):
                    return None
        return False if self.is_bare else None

    @property
    def is_bare(self) -> bool:
        """Whether its base has hardly any library, and no package that was asked for brings one."""
        known = self.base is not None and _BARE.search(self.base_reference) is not None
        return known and all(_BRINGS_NO_LIBRARY.fullmatch(each) for each in self.packages)


_BARE = regex(r"slim|alpine|gcr\.io/distroless|(?:^|/)(?:debian|ubuntu)\b")
"""Bases without libraries that a Python distribution would ask for."""
_OPENMP = regex(r"(?:libgomp1?|gcc|g\+\+|gfortran|build-(?:essential|base))(?:[=-].*)?")
"""Packages that bring GCC's OpenMP library, or need it."""
_BRINGS_NO_LIBRARY = regex(
    r"(?:ca-certificates|curl|wget|git|tini|dumb-init|gosu|su-exec|netcat(?:-\w+)?|bash|gcc|g\+\+|make|build-essential|build-base"
    r"|python3(?:\.\d+)?(?:-pip|-venv|-dev|-minimal|-distutils)?|py3-pip|musl-dev|linux-headers|libffi-dev|tzdata|locales|procps|jq"
    r"|gnupg2?|unzip|xz-utils|libc6-dev|libssl-dev|openssl|pkg-config|gettext|sudo|nano|vim|less|file|iputils-ping|libglib2\.0-0"
    r"|libgomp1|dnsutils|lsb-release|apt-transport-https|software-properties-common|rsync|ssh|openssh-client|cron|supervisor)"
    r"(?:=.*)?"
)
"""Packages that bring none of the libraries that distributions are known to load."""
