"""`build.environment`: which engine answers, how it runs arm64 programs, and what images can be built with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smoke.check import Check
from smoke.finding import Finding, Severity
from smoke.image.build import Builder, BuildError

ENVIRONMENT = Check(
    "build.environment",
    Severity.CRITICAL,
    "an engine answers, and arm64 programs run on it",
    "Nothing can be built or tried.",
    "Start an engine; register qemu for aarch64 where the processor is another.",
)
NATIVE = ("arm64", "aarch64")
NEEDS_BUILDX = 23
"""Since this version the docker command speaks to BuildKit by that plugin alone."""
_EMULATORS = Path("/proc/sys/fs/binfmt_misc")


def environment(version: dict[str, Any], builder: Builder) -> Iterator[Finding]:
    """What an engine says of itself in `version`, and the docker command beside it."""
    engine = next((each["Name"] for each in version.get("Components") or ()), "Engine")
    subject = f"{engine} {version['Version']} ({version['Os']}/{version['Arch']})"
    here = os.environ.get("DOCKER_HOST", "unix://").startswith("unix://")
    if version["Arch"] in NATIVE:
        yield ENVIRONMENT.passed(f"{subject} runs linux/arm64 natively")
    elif not here:
        yield ENVIRONMENT.passed(f"{subject} is on another machine, whose emulation cannot be looked at from here")
    elif any("aarch64" in path.name for path in _EMULATORS.glob("*")):
        yield ENVIRONMENT.passed(f"{subject} runs linux/arm64 by emulation")
    else:
        remedy = "Register qemu for aarch64: install qemu-user-static and binfmt-support, or nox -s engine-up."
        yield ENVIRONMENT.fail(f"{subject} cannot run linux/arm64: no emulator is registered", remedy=remedy)
    yield _building(builder)


def _building(builder: Builder) -> Finding:
    try:
        client = builder.docker("version", "--format", "{{.Client.Version}}").strip()
    except BuildError as error:
        return ENVIRONMENT.skip(f"images can be looked at and not built: {str(error).splitlines()[-1]}")
    try:
        plugin = builder.docker("buildx", "version").split()[1]
    except (BuildError, IndexError):
        major = client.partition(".")[0]
        if major.isdecimal() and int(major) >= NEEDS_BUILDX:
            return ENVIRONMENT.skip(f"docker {client} can look at images and build none: it lacks its plugin buildx")
        return ENVIRONMENT.passed(f"docker {client} builds with the engine's own BuildKit, without buildx")
    return ENVIRONMENT.passed(f"docker {client} builds with BuildKit, by buildx {plugin}")
