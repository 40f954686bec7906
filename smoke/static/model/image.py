"""The image as far as it can be known without building it: what checks read."""

from __future__ import annotations

from msgspec import Struct, field

from smoke.manifest import Base, Service
from smoke.static.dockerfile.instructions import Dockerfile, ParseError
from smoke.static.dockerfile.stages import BuildStage, Stages
from smoke.static.model.build_failure import BuildFailure, Missing
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.effective_command import Start
from smoke.static.model.filesystem import FileSystem
from smoke.static.model.install import Install
from smoke.static.model.launch import Launch
from smoke.static.model.programs import Lacking, Surroundings
from smoke.static.model.venv import Venv
from smoke.static.regex import regex


class HealthCheck(Struct, frozen=True):
    """The HEALTHCHECK in force."""

    line: int
    words: tuple[str, ...] = ()
    """What is run; in shell form the shell's text alone."""
    shell_form: bool = False
    disabled: bool = False
    """HEALTHCHECK NONE."""


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
