"""Whether what is compiled for one Python, C library and machine loads in an image of another."""

from __future__ import annotations

from smoke.static.model.image import Image
from smoke.static.model.install import MadeFor


def misfits(made: MadeFor, python: str, libc: str, machine: str) -> str:
    """Why what is compiled for one Python does not load in another; empty when it does, or that cannot be told."""
    if made.python and python and made.python != python:
        return f"it is made for Python {made.python}, and the image runs {python}"
    if made.libc and libc and made.libc != libc:
        return f"it is made for {made.libc}, and the image has {libc}"
    if made.machine and machine and made.machine != machine:
        return f"it is made for {made.machine}, and the image is for {machine}"
    return ""


def machine_of(image: Image) -> str:
    """The image's machine, as wheels name it; empty when nothing says it, or what is pinned is not what is wanted.

    The latter is one fault, which `dockerfile.platform` tells: what is installed may fit the one or the other.
    """
    machines = [_machine(each) for each in (image.platform, image.service.platform) if each]
    return machines[0] if machines and all(each == machines[0] for each in machines) else ""


def _machine(platform: str) -> str:
    """A machine, as wheels name it, of a platform as Docker does; empty when it is not a known one."""
    text = platform.removeprefix("linux/").partition("/v8")[0]
    return {"amd64": "x86_64", "arm64": "aarch64", "arm/v7": "armv7l", "386": "i686"}.get(text, "")
