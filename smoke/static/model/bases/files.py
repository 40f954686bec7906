"""The file system that a stage begins with."""

from __future__ import annotations

from smoke.manifest import Base
from smoke.static.model.bases.distroless import NONROOT
from smoke.static.model.doubt import Doubt, DoubtCause
from smoke.static.model.filesystem import FileSystem, PathEntry

_TASK = "/var/task"
"""Where AWS Lambda's images take the code of a function: it is empty in all of them."""
_VAR = tuple(
    f"/var/{name}"
    for name in (
        "cache",
        "db",
        "empty",
        "lang",
        "lib",
        "lock",
        "log",
        "mail",
        "rapid",
        "run",
        "runtime",
        "spool",
        "tmp",
    )
)
"""What else they may have beside it."""


def base_files(base: Base | None, reference: str) -> FileSystem:  # noqa: PLR0912 - a case a kind of base
    """The file system that a stage begins with."""
    files = FileSystem()
    if base is None:
        files.doubts["/"] = Doubt(f"the base image {reference} is unknown", DoubtCause.UNKNOWN_BASE)
        return files
    if base.system in ("debian", "fedora"):
        for name in ("bin", "sbin", "lib"):  # merged into /usr
            files.add(f"/usr/{name}", PathEntry("directory", mode=0o755))
            files.link(f"/{name}", f"usr/{name}")
    for path in base.executables:
        files.add(path, PathEntry("file", mode=0o755))
    if base.shell and files.find("/bin/sh") is None:
        files.add("/bin/sh", PathEntry("file", mode=0o755))
    files.add("/tmp", PathEntry("directory", mode=0o1777))
    if base.shell and base.system:
        for name in ("home", "srv", "mnt", "media", "run", "run/lock", "dev", "proc", "sys"):
            files.add(f"/{name}", PathEntry("directory", mode=0o755))
    if base.workdir not in ("", "/"):
        owner = 0 if base.user in ("", "0", "root") else None
        files.add(base.workdir, PathEntry("directory", user=owner, mode=0o755))
    for site in base.sites:
        files.add(site, PathEntry("directory", mode=0o755))
    if base.distroless:
        files.add("/home/nonroot", PathEntry("directory", user=NONROOT, mode=0o700))
    if base.shell or base.distroless:
        files.add("/root", PathEntry("directory", user=0, mode=0o700))
    doubt = Doubt(f"not everything in the base image {reference} is known", DoubtCause.BASE)
    if "/docker-entrypoint.sh" in base.executables:
        files.doubts["/docker-entrypoint.d"] = doubt
    if "/usr/local/go/bin/go" in base.executables:
        files.doubts["/go"] = doubt  # where many a command puts programs
    if base.complete and base.executables:
        for path in ("/usr/lib", "/usr/share", "/lib", "/etc", "/var"):
            files.doubts[path] = doubt
    if not base.complete:
        for path in ("/usr", "/bin", "/sbin", "/lib", "/etc", "/opt", *(_VAR if base.workdir == _TASK else ("/var",))):
            files.doubts[path] = doubt
    return files
