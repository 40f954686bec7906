"""The C library of an image."""

from __future__ import annotations

import re


def libc_of(reference: str) -> str:
    """The C library that an image's programs are linked with, by its reference; empty when that cannot be told."""
    if "alpine" in reference or re.search(r"(?:^|/)busybox\b|musl", reference):
        return "musl"
    known = r"(?:^|/)(?:python|debian|ubuntu|distroless|pypy|node|buildpack-deps|rust|golang|gcc|fedora|amazonlinux)\b"
    known_tag = r"(?:slim|bookworm|bullseye|trixie|buster|jammy|noble|focal|debian\d*)"
    return "glibc" if re.search(known, reference) or re.search(known_tag, reference) else ""
