"""Base images that are known: what they start, as whom, and what Python, shell and programs they have.

Sources: the images' published configuration, and the package lists of distroless in docs/smoke.md. A base that is not
here (or in the manifest) is unknown, and nothing is assumed of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from smoke.manifest import Base
from smoke.patterns import matches
from smoke.static.model.filesystem import OF_BASE, Entry, FileSystem

_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_PYTHON_IMAGE = re.compile(r"(?:docker\.io/)?(?:library/)?python:(3\.\d+)(?:\.\d+)?([-.\w]*)")
_DISTROLESS = re.compile(r"gcr\.io/distroless/([\w-]+?)(?:-debian(\d+))?(?::([\w.-]+))?")
_TOOLS = ("cat", "chmod", "chown", "cp", "env", "ls", "mkdir", "mv", "rm", "sleep", "test", "true")
_DEBIAN_PYTHON = {"11": "3.9", "12": "3.11", "13": "3.13"}
NONROOT = 65532


def find_base(reference: str, more: Iterable[Base]) -> Base | None:
    """The entry of the manifest (first) or of the catalogue for an image's reference; none when it is unknown."""
    for base in more:
        if matches(base.image, reference):
            return base
    name = reference.partition("@")[0]
    if name == "scratch":
        return Base(image=reference, complete=True, distroless=True)
    return _distroless(name) or _python(name) or _system(name)


def _distroless(name: str) -> Base | None:
    match = _DISTROLESS.fullmatch(name)
    if match is None:
        return None
    kind, release, tag = match[1], match[2] or "12", match[3] or "latest"
    debug = tag.startswith("debug")
    version = _DEBIAN_PYTHON.get(release, "") if kind == "python3" else ""
    if kind not in ("python3", "static", "base", "base-nossl", "cc") or (kind == "python3" and not version):
        return None
    programs = [f"/usr/bin/python{version}", "/usr/bin/python3", "/usr/bin/python"] if version else []
    return Base(
        image=name,
        python=version or None,
        entrypoint=(f"/usr/bin/python{version}",) if version else (),
        user=str(NONROOT) if "nonroot" in tag else "0",
        path=(*_PATH, *(("/busybox",) if debug else ())),
        sites=(f"/usr/local/lib/python{version}/dist-packages", "/usr/lib/python3/dist-packages") if version else (),
        executables=(*programs, *(("/busybox/sh", "/busybox/busybox", "/busybox/wget") if debug else ())),
        shell=False,
        complete=not debug,
        distroless=True,
    )


def _python(name: str) -> Base | None:
    match = _PYTHON_IMAGE.fullmatch(name)
    if match is None:
        return None
    version, variant = match[1], match[2]
    programs = [
        f"/usr/local/bin/{each}" for each in (f"python{version}", "python3", "python", f"pip{version}", "pip3", "pip")
    ]
    alpine, slim = "alpine" in variant, "slim" in variant
    tools = [f"/bin/{each}" for each in ("sh", *(() if alpine else ("bash",)), *_TOOLS)]
    if alpine:
        tools += ["/bin/busybox", "/usr/bin/wget"]
    elif not slim:
        tools += ["/usr/bin/curl", "/usr/bin/wget", "/usr/bin/git"]
    lacks = ("curl",) if alpine else ("curl", "wget", "git", "gcc", "nc") if slim else ()
    return Base(
        image=name,
        python=version,
        command=("python3",),
        path=_PATH,
        sites=(f"/usr/local/lib/python{version}/site-packages",),
        executables=(*programs, *tools),
        shell=True,
        lacks=lacks,
    )


def _system(name: str) -> Base | None:
    """Distributions without Python."""
    match = re.fullmatch(r"(?:docker\.io/)?(?:library/)?(debian|ubuntu|alpine|busybox)(?::[\w.-]+)?", name)
    if match is None:
        return None
    shell = "sh" if match[1] in ("alpine", "busybox") else "bash"
    tools = [f"/bin/{each}" for each in ("sh", *(("bash",) if shell == "bash" else ()), *_TOOLS)]
    if shell == "sh":
        tools.append("/usr/bin/wget")
    return Base(
        image=name,
        command=(f"/bin/{shell}",),
        path=_PATH,
        executables=tuple(tools),
        shell=True,
        lacks=("python", "python3", "curl", *(("wget",) if shell == "bash" else ())),
    )


def base_files(base: Base | None, reference: str) -> FileSystem:
    """The file system that a stage begins with."""
    files = FileSystem()
    if base is None:
        files.doubts["/"] = f"the base image {reference} is unknown"
        return files
    for path in base.executables:
        files.add(path, Entry("file", mode=0o755))
    if base.shell and files.find("/bin/sh") is None:
        files.add("/bin/sh", Entry("file", mode=0o755))
    files.add("/tmp", Entry("directory", mode=0o1777))
    for site in base.sites:
        files.add(site, Entry("directory", mode=0o755))
    if base.distroless:
        files.add("/home/nonroot", Entry("directory", user=NONROOT, mode=0o700))
    if base.complete and base.executables:
        for path in ("/usr/lib", "/usr/share", "/lib", "/etc", "/var"):
            files.doubts[path] = f"{OF_BASE} image {reference} is known"
    if not base.complete:
        for path in ("/usr", "/bin", "/sbin", "/lib", "/etc", "/opt", "/var"):
            files.doubts[path] = f"{OF_BASE} image {reference} is known"
    return files
