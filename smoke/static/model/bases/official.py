"""Docker's official images, by way of a mirror or not: Python's, and the distributions'."""

from __future__ import annotations

import re
from collections.abc import Iterable

from smoke.manifest import Base
from smoke.static.model.bases.tools import (
    ALPINE_PROGRAMS,
    BUILDPACK,
    BUSYBOX_PROGRAMS,
    DEBIAN_PROGRAMS,
    FEDORA_PROGRAMS,
)
from smoke.static.model.packages import known_programs
from smoke.static.regex import regex

USUAL_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_LIBRARY = r"(?:(?:docker\.io|mirror\.gcr\.io|public\.ecr\.aws/docker|registry\.hub\.docker\.com)/)?(?:library/)?"
MIRROR = r"(?:[\w.-]+(?::\d+)?/(?:[\w.-]+/)*)?"
_PYTHON_TAG = regex(r"(?P<version>3\.\d+)(?:\.\d+)?(?:(?:a|b|rc)\d+)?(?P<variant>[-.\w]*)")


def official_tag(name: str, repository: str) -> str | None:
    """The tag of an image of an official repository, by way of a mirror or not; none when it is another image."""
    mirror = rf"{MIRROR}(?:library|dockerhub|docker\.io|docker-hub|hub)/"
    match = re.fullmatch(rf"(?:{_LIBRARY}|{mirror}){repository}(?::([\w.-]+))?", name)
    return None if match is None else match[1] or "latest"


def official(name: str) -> Base | None:
    """Docker's official images."""
    tag = official_tag(name, "python")
    if tag is not None:
        return python_image(name, tag)
    for repository in ("debian", "ubuntu", "alpine", "busybox", "fedora", "buildpack-deps", "nginx", "node"):
        tag = official_tag(name, repository)
        if tag is not None:
            return system_image(name, repository, tag)
    return None


def python_image(name: str, tag: str) -> Base | None:
    match = _PYTHON_TAG.fullmatch(tag)
    if match is None and not re.fullmatch(r"(?:latest|3(?:-slim|-alpine)?|slim|alpine|bookworm|trixie)[\w.-]*", tag):
        return None
    version = match["version"] if match else ""
    variant = match["variant"] if match else f"-{tag}"
    programs = [f"/usr/local/bin/{each}" for each in ("python3", "python", "pip3", "pip", "idle3", "pydoc3")]
    if version:
        programs += [f"/usr/local/bin/python{version}", f"/usr/local/bin/pip{version}"]
    alpine, slim = "alpine" in variant, "slim" in variant
    if "windows" in variant:
        return None
    tools = ALPINE_PROGRAMS if alpine else DEBIAN_PROGRAMS if slim else (*DEBIAN_PROGRAMS, *BUILDPACK)
    return made_base(
        name,
        "alpine" if alpine else "debian",
        tools,
        programs=tuple(programs),
        python=version or None,
        command=("python3",),
        sites=(f"/usr/local/lib/python{version}/site-packages",) if version else (),
    )


def made_base(name: str, system: str, tools: Iterable[str], programs: tuple[str, ...] = (), **more: object) -> Base:
    """A base of a distribution with these programs, and none of the others that the lists know."""
    own = {*tools}
    places = [f"/{'bin' if each in ('sh', 'bash', 'ash', 'busybox') else 'usr/bin'}/{each}" for each in sorted(own)]
    present = own | {each.rpartition("/")[2] for each in programs}
    return Base(
        image=name,
        executables=(*programs, *places),
        lacks=tuple(sorted(known_programs() - present)),
        shell=True,
        path=USUAL_PATH,
        system=system,
        libc="musl" if system == "alpine" else "glibc",
        **more,  # type: ignore[arg-type]
    )


def system_image(name: str, repository: str, tag: str) -> Base:
    """Distributions without Python, and images that are built on them."""
    alpine = repository in ("alpine", "busybox") or "alpine" in tag
    shell = "/bin/sh" if alpine else "/bin/bash"
    tools = {
        "busybox": BUSYBOX_PROGRAMS,
        "fedora": FEDORA_PROGRAMS,
        "buildpack-deps": (*DEBIAN_PROGRAMS, *BUILDPACK),
        "nginx": (*DEBIAN_PROGRAMS, "nginx", "curl", "envsubst"),
        "node": (*DEBIAN_PROGRAMS, *(() if "slim" in tag else BUILDPACK), "node", "npm", "npx", "yarn"),
    }.get(repository, DEBIAN_PROGRAMS)
    if alpine and repository != "busybox":
        extra = {"nginx": ("nginx", "curl", "envsubst"), "node": ("node", "npm", "npx", "yarn")}.get(repository, ())
        tools = (*ALPINE_PROGRAMS, *extra)
    system = "alpine" if alpine else "fedora" if repository == "fedora" else "debian"
    if repository == "node":
        start = ("/usr/local/bin/docker-entrypoint.sh",)
        return made_base(name, system, tools, start, entrypoint=("docker-entrypoint.sh",), command=("node",))
    if repository == "nginx":
        start = ("/docker-entrypoint.sh",)
        return made_base(name, system, tools, start, entrypoint=start, command=("nginx", "-g", "daemon off;"))
    return made_base(name, system, tools, command=(shell,))
