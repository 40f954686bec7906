"""A stage of a build under way: what its instructions have made so far."""

from __future__ import annotations

import posixpath
from collections.abc import Callable

from msgspec import Struct, field

from smoke.static.model.build_failure import BuildFailure
from smoke.static.model.filesystem import FileSystem, PathEntry
from smoke.static.model.install import Install
from smoke.static.model.node_packages import NodeModules
from smoke.static.model.programs import Lacking, Surroundings
from smoke.static.model.venv import Venv

_GROUPS = frozenset(
    [
        *["root", "daemon", "bin", "sys", "adm", "tty", "disk", "lp", "mail", "news", "uucp", "man", "proxy", "kmem"],
        *["dialout", "fax", "voice", "cdrom", "floppy", "tape", "sudo", "audio", "dip", "www-data", "backup", "list"],
        *["operator", "irc", "src", "shadow", "utmp", "video", "sasl", "plugdev", "staff", "games", "users", "nogroup"],
        *["wheel", "input", "netdev", "kvm", "ntp", "abuild", "ping", "nobody", "crontab", "ssh", "messagebus", "node"],
        *["docker", "render", "sgx", "systemd-journal", "systemd-network", "polkitd", "tcpdump", "nonroot"],
    ]
)
"""Groups that bases have."""


class Stage(Struct):
    """A stage under way: what its instructions have made so far."""

    files: FileSystem
    user: str = "0"
    workdir: str = "/"
    environment: dict[str, str] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=lambda: {"root": "/root", "0": "/root"})
    numbers: dict[str, int] = field(default_factory=lambda: {"root": 0, "nonroot": 65532, "nobody": 65534})
    installs: list[Install] = field(default_factory=list)
    python: str = ""
    """Version of the stage's own Python; empty when it has none or it is unknown."""
    sites: tuple[str, ...] = ()
    """Where that Python installs to, first."""
    venvs: dict[str, Venv] = field(default_factory=dict)
    """Virtual environments by the place where they are now."""
    libc: str = ""
    machine: str = ""
    """Machine that its own programs are for, as wheels name it; empty when it is the image's."""
    toolchain: str = ""
    """The toolchain that its base is an image of: `go`, `rust`; empty for others."""
    settings: dict[str, str] = field(default_factory=dict)
    """What tools were told to keep in mind, as `poetry config` does."""
    node_modules: dict[str, NodeModules] = field(default_factory=dict)
    """What is known of each node_modules, by its place."""
    pins: dict[str, str] = field(default_factory=dict)
    """Versions that the tree's `.python-version` files name."""
    packages: tuple[str, ...] = ()
    """Packages of the system that were asked for."""
    npm_locked: bool = False
    """Whether the tree has a lock file of npm's, or leaves none out of git."""
    virtual: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Packages that were asked for under a name, by which Alpine takes them away."""
    system: str = ""
    """Whose packages it takes: debian, alpine, fedora; empty when that is not known."""
    release: str = ""
    """Name of its release of Debian or Ubuntu, where the base's tag says it."""
    other_sources: bool = False
    """Whether packages may come from elsewhere than its release's own archive."""
    package_python: str = ""
    """Version of the Python that the system's own package would bring."""
    managed: bool = False
    """Whether its Python is the system's, which pip does not touch unasked (PEP 668)."""
    managed_free: bool = False
    """Whether a step took away the mark that makes it so, or told pip not to mind."""
    lists: bool | None = None
    """Whether the package manager has its lists: surely, surely not, or unknown."""
    fed: bool = False
    """Whether the command at hand reads from a pipe."""
    shell: str = "sh"
    """Name of the shell that reads the commands at hand."""
    groups: frozenset[str] = _GROUPS
    """Names of groups that may be there, besides those of users."""
    lacks_names: frozenset[str] = frozenset()
    """Names of programs that are surely in no directory of the system."""
    slim: bool = False
    """Whether it is built on one of Debian's slim images."""
    users_known: bool = False
    """Whether `numbers` has every user."""
    failures: list[BuildFailure] = field(default_factory=list)
    read: Callable[[str], bytes] | None = None
    """Gives the content of a file of the tree."""

    def fail(self, line: int, message: str, program: str = "") -> None:
        """Note that the build stops at a command; only the first counts, what follows is not reached."""
        if not self.failures:
            lacks = program if program and self.lacks(program) else ""
            self.failures.append(BuildFailure(line, message, lacks))

    def lacks(self, program: str) -> bool:
        """Whether a program is surely nowhere."""
        found = self.surroundings().find(program)
        return not found.place and not found.doubt

    def surroundings(self) -> Surroundings:
        """What decides which program a name means here."""
        return Surroundings(self.files, self.environment.get("PATH", ""), self.workdir, self.lacking)

    @property
    def lacking(self) -> Lacking:
        """Programs that are surely in no directory of the system."""
        return Lacking(self.lacks_names, self.slim and not self.packages)

    def content(self, entry: PathEntry) -> bytes | None:
        """What a file holds: of the tree, as steps left it, or of a here-document; none when it is not known."""
        if entry.text is not None:
            return entry.text.encode("utf-8", "replace")
        if not entry.source or self.read is None:
            return None
        data = self.read(entry.source)
        return data.replace(b"\r\n", b"\n") if entry.unix else data

    def source_text(self, path: str) -> str:
        """The text of a file as the tree has it; empty for any other, and where it cannot be read."""
        entry = self.files.find(path)
        if entry is None or entry.kind != "file" or not entry.source or self.read is None:
            return ""
        return self.read(entry.source).decode("utf-8", "replace")

    def home(self) -> str:
        """The current user's home directory; empty when it is not known."""
        name = self.user.partition(":")[0]
        return self.environment.get("HOME") or self.homes.get(name, "")

    def number(self, name: str) -> int | None:
        """A user's number, by name or number; none when it is not known."""
        name = name.partition(":")[0]
        return int(name) if name.isascii() and name.isdigit() and len(name) < 11 else self.numbers.get(name)

    def path(self, text: str) -> str:
        """A path of the stage, absolute and normal."""
        if text == "~" or text.startswith("~/"):
            text = self.home() + text[1:]
        # Two slashes in front would stay: POSIX leaves their meaning open, and Linux gives them none.
        return "/" + posixpath.normpath(posixpath.join(self.workdir, text)).lstrip("/")
