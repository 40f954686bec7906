"""What apt, apk and Debian's own tools refuse."""

from __future__ import annotations

import re

from smoke.static.model.releases import lacks_package
from smoke.static.model.stage import Stage

BUSYBOX_ONLY = {"adduser": frozenset("DSH"), "addgroup": frozenset("S")}
"""Letters of options that Busybox's commands know and Debian's do not."""
_APT_ASKS_NOT = frozenset(
    ["bzip2", "dumb-init", "gosu", "less", "make", "procps", "sudo", "tini", "tzdata", "unzip", "xz-utils", "zip"]
)
"""Packages that need no other one that a slim image lacks: apt does not ask before it installs them."""
_ALPINE_ONLY = frozenset(
    [
        *["build-base", "postgresql-dev", "postgresql-libs", "mariadb-dev", "mariadb-connector-c", "py3-pip"],
        *["mariadb-connector-c-dev", "openssl-dev", "jpeg-dev", "zlib-dev", "freetype-dev"],
        *["openldap-dev", "su-exec", "shadow", "readline-dev", "sqlite-dev", "bzip2-dev", "xz-dev"],
        *["openjpeg-dev", "tiff-dev", "lcms2-dev", "gcompat", "libc6-compat", "gdal-dev", "geos-dev", "alpine-sdk"],
        *["py3-setuptools", "py3-wheel", "libmagic", "pkgconf-dev", "cyrus-sasl-dev", "yaml-dev", "unixodbc-openssl"],
    ]
)
_DEBIAN_ONLY = frozenset(
    [
        *["build-essential", "libssl-dev", "default-libmysqlclient-dev", "libxslt1-dev", "zlib1g-dev", "python3-venv"],
        *["libgl1-mesa-glx", "libglib2.0-0", "libsm6", "libxext6", "libgomp1", "libmagic1", "python3-pip", "locales"],
        *["software-properties-common", "apt-transport-https", "libc6-dev", "libpq5", "libmariadb-dev", "xz-utils"],
        *["libldap2-dev", "libsasl2-dev", "uuid-dev", "libgl1", "libreadline-dev", "libbz2-dev", "liblzma-dev"],
        *["libsqlite3-dev", "libncurses5-dev", "libncurses-dev", "libjpeg62-turbo-dev", "dnsutils", "libcairo2"],
        *[
            "libpango-1.0-0",
            "libxml2-utils",
            "libyaml-dev",
            "netcat",
            "procps-ng-dev",
            "libjpeg62-turbo",
            "libgnutls28-dev",
        ],
    ]
)
"""Packages of one distribution that the other has under another name (packages.debian.org, pkgs.alpinelinux.org)."""


def _foreign(word: str, names: frozenset[str]) -> bool:
    return re.split(r"[=<>~@:]", word, maxsplit=1)[0] in names


def apt_refusal(stage: Stage, name: str, rest: list[str]) -> str:
    if "install" not in rest or any(word.startswith(("--download-only", "--simulate", "--dry-run")) for word in rest):
        return ""
    wanted = [word for word in rest if not word.startswith("-") and word != "install"]
    named = [word for word in wanted if not word.startswith(("/", "./", "$")) and "=" not in word[:1]]
    yes = any(re.fullmatch(r"-[a-z]*y[a-z]*|-[a-z]*qq[a-z]*|--yes|--assume-yes|--quiet=2", word) for word in rest)
    told = any(path.startswith("/etc/apt/apt.conf") for path in stage.files.entries)
    if told or any("Assume-Yes" in word for word in rest) or stage.fed:
        yes = True
    if not yes and stage.system == "debian" and any(word not in _APT_ASKS_NOT for word in named):
        return f"{name} install asks before it goes on, and nobody answers: it takes -y"
    if stage.system == "debian" and (odd := next((word for word in named if _foreign(word, _ALPINE_ONLY)), "")):
        return f"{name} install: there is no package {odd} in Debian: that is Alpine's name"
    if not _other_sources(stage) and (gone := next(filter(None, (lacks_package(stage.release, e) for e in named)), "")):
        return f"{name} install: {gone}"
    if stage.lists is False and named:
        return f"{name} install knows no package yet: the image comes without lists, and no {name} update came before"
    return ""


def _other_sources(stage: Stage) -> bool:
    """Whether apt may have been told of more than its release's own archive."""
    return stage.other_sources or any(
        path.startswith("/etc/apt/sources.list") and entry.line for path, entry in stage.files.entries.items()
    )


def apk_refusal(stage: Stage, rest: list[str]) -> str:
    odd = next((word for word in rest if _foreign(word, _DEBIAN_ONLY)), "")
    if not odd or "add" not in rest or stage.system != "alpine":
        return ""
    return f"apk add: there is no package {odd} in Alpine: that is Debian's name"


def busybox_refusal(stage: Stage, name: str, rest: list[str]) -> str:
    if stage.system != "debian":
        return ""
    for word in rest:
        if re.fullmatch(r"-[A-Za-z]+", word) and (odd := BUSYBOX_ONLY[name] & {*word[1:]}):
            return f"{name} of Debian has no option -{min(odd)}: that is Busybox's"
    return ""
