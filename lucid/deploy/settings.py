"""What Compose is told on the host: the `.env` beside its file, kept from one release to the next."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

from lucid.deploy.host import DeployError

PROFILES = {
    "pi4": {
        "LUCID_MONGODB": "mongo:4.4.18",
        "LUCID_MEMORY": "192m",
        "LUCID_MONGODB_MEMORY": "512m",
    },
    "pi5": {
        "LUCID_MONGODB": "mongo:7",
        "LUCID_MEMORY": "256m",
        "LUCID_MONGODB_MEMORY": "768m",
    },
}
"""MongoDB 5 and later need ARMv8.2, which a Pi 4 is not; it also has less memory."""
EXTRAS = {
    "redis": {"LUCID_REDIS_URL": "redis://redis:6379"},
    "consul": {"LUCID_CONSUL_URL": "http://consul:8500"},
    "tor": {"LUCID_SOCKS5": "tor:9050"},
}
"""The Compose file's profiles, and what the services are told when one is on."""
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


def parse(text: str) -> dict[str, str]:
    """The settings of a `.env` file."""
    lines = (line.strip() for line in text.splitlines())
    return dict(line.partition("=")[::2] for line in lines if "=" in line and not line.startswith("#"))


def write(settings: dict[str, str]) -> str:
    """The text of a `.env` file."""
    return "".join(f"{name}={value}\n" for name, value in sorted(settings.items()))


def settle(
    held: dict[str, str], profile: str, peers: Iterable[str], extras: Iterable[str], given: Iterable[str]
) -> dict[str, str]:
    """The settings of a release: what was held, and what is `given` as NAME=VALUE, which wins; tokens are made once.

    Raises `DeployError` for a name or value that Compose could not take.
    """
    settings = {
        "COMPOSE_PROJECT_NAME": "lucid",
        **PROFILES[profile],
        "LUCID_TOKEN": secrets.token_hex(16),
        "LUCID_API_TOKENS": secrets.token_hex(16),
        **held,
    }
    if peers := tuple(peers):
        settings["LUCID_PEERS"] = ",".join(peers)
    if extras := tuple(extras):
        settings["COMPOSE_PROFILES"] = ",".join(extras)
        for extra in extras:
            settings |= EXTRAS[extra]
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or _NAME.fullmatch(name) is None:
            raise DeployError(f"--set: {each!r} must be NAME=VALUE, the name in capitals")
        settings[name] = value
    for name, value in settings.items():
        if not value.isprintable() or "$" in value or "'" in value:
            raise DeployError(f"{name}: a value may hold no quote, no $ and no control character")
    return settings
