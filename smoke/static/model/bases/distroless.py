"""Images without a shell or a package manager: Google's distroless ones, and Chainguard's."""

from __future__ import annotations

import re

from smoke.manifest import Base
from smoke.static.model.bases.official import USUAL_PATH
from smoke.static.regex import regex

_DISTROLESS = regex(r"gcr\.io/distroless/([\w-]+?)(?:-debian(\d+))?(?::([\w.-]+))?")
_DEBIAN_PYTHON = {"11": "3.9", "12": "3.11", "13": "3.13"}
NONROOT = 65532


def distroless(name: str) -> Base | None:
    match = _DISTROLESS.fullmatch(name)
    if match is None:
        return None
    kind, release, tag = match[1], match[2] or "12", match[3] or "latest"
    if re.fullmatch(r"nodejs\d*", kind):
        return _node(name, tag)
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
        path=(*USUAL_PATH, *(("/busybox",) if debug else ())),
        sites=(f"/usr/local/lib/python{version}/dist-packages", "/usr/lib/python3/dist-packages") if version else (),
        executables=(*programs, *(("/busybox/sh", "/busybox/busybox", "/busybox/wget") if debug else ())),
        shell=False,
        complete=not debug,
        distroless=True,
        libc="" if kind == "static" else "glibc",
    )


def _node(name: str, tag: str) -> Base:
    """Node alone, which is the entry point."""
    debug = tag.startswith("debug")
    return Base(
        image=name,
        entrypoint=("/nodejs/bin/node",),
        user=str(NONROOT) if "nonroot" in tag else "0",
        path=(*USUAL_PATH, *(("/busybox",) if debug else ())),
        executables=("/nodejs/bin/node", *(("/busybox/sh", "/busybox/busybox") if debug else ())),
        shell=False,
        complete=not debug,
        distroless=True,
        libc="glibc",
    )


def chainguard(name: str) -> Base | None:
    """Chainguard's Python: no shell but in `-dev`, user 65532; its version floats."""
    match = re.fullmatch(r"cgr\.dev/[\w.-]+/python(?::([\w.-]+))?", name)
    if match is None:
        return None
    tag = match[1] or "latest"
    version = re.match(r"3\.\d+", tag)
    dev = tag.endswith("-dev")
    programs = ["/usr/bin/python", "/usr/bin/python3", *([f"/usr/bin/python{version[0]}"] if version else [])]
    if dev:
        programs += ["/bin/sh", "/usr/bin/pip", "/bin/busybox", "/sbin/apk"]
    return Base(
        image=name,
        python=version[0] if version else None,
        entrypoint=("/usr/bin/python",),
        user=str(NONROOT),
        path=USUAL_PATH,
        sites=(f"/usr/lib/python{version[0]}/site-packages",) if version else (),
        executables=tuple(programs),
        shell=dev,
        distroless=not dev,
        libc="glibc",
    )
