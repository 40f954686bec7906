"""What Compose is told on the host: the `.env` beside its file, kept from one release to the next."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import urlsplit

from lucid.api.services import SERVICES
from lucid.deploy.host import DeployError
from lucid.services.peer.addresses import unusable_peer

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
STORE_PASSWORDS = tuple(f"LUCID_STORE_PASSWORD_{name}" for name in map(str.upper, SERVICES))
"""What the services show MongoDB; it is told of new ones at each start."""
PEERS, RUNNING = "LUCID_PEERS", "COMPOSE_PROFILES"
_IDENTITY = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_VARIABLE = re.compile(r"\$\{(LUCID_[A-Z0-9_]+)")
_MEANING = re.compile(r"[\s\"'`$#\\]")
"""What Compose's versions read differently in a `.env`, or as something else than itself."""


@dataclass(frozen=True)
class Changes:
    """Settings to change."""

    peers: tuple[str, ...] = ()
    no_peers: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    given: tuple[str, ...] = ()


def compose_file() -> bytes:
    """The file that Compose runs a node by."""
    return files("images").joinpath("compose.yaml").read_bytes()


def parse(text: str) -> dict[str, str]:
    """The settings of a `.env` file."""
    lines = (line.strip() for line in text.splitlines())
    return dict(line.partition("=")[::2] for line in lines if "=" in line and not line.startswith("#"))


def write(settings: dict[str, str]) -> str:
    """The text of a `.env` file."""
    return "".join(f"{name}={value}\n" for name, value in sorted(settings.items()))


def settle(held: dict[str, str], profile: str, changes: Changes) -> dict[str, str]:
    """The settings of a release: what was held, with the changes; tokens and passwords are made once.

    Raises `DeployError` for a name or value that Compose or the services could not take.
    """
    settings = {
        "COMPOSE_PROJECT_NAME": "lucid",
        **PROFILES[profile],
        "LUCID_TOKEN": secrets.token_hex(16),
        "LUCID_API_TOKENS": secrets.token_hex(16),
        **{name: secrets.token_hex(16) for name in STORE_PASSWORDS},
        **held,
    }
    _settle_peers(settings, changes)
    settings |= _given(changes.given)
    _settle_extras(settings, changes)
    for name, value in settings.items():
        if not value.isprintable() or _MEANING.search(value):
            raise DeployError(f"{name}: a value may hold no space, quote, $, #, backslash and no control character")
    return settings


def warnings(settings: dict[str, str]) -> list[str]:
    """What can be written down and will hardly work."""
    hosts = [urlsplit(each.partition("@")[2]).hostname or "" for each in _split(settings.get(PEERS, ""))]
    return [
        f"{host}: names of mDNS mean nothing in a container; name the peer's address or a name that DNS knows"
        for host in hosts
        if host.endswith(".local")
    ]


def _given(given: Iterable[str]) -> dict[str, str]:
    known = sorted({*_VARIABLE.findall(compose_file().decode())} - {PEERS})
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or _NAME.fullmatch(name) is None:
            raise DeployError(f"--set: {each!r} must be NAME=VALUE, the name in capitals")
        if name not in known:
            raise DeployError(f"--set: {name} cannot be set; what can: {', '.join(known)} (peers by --peer)")
        if value.startswith("-") or not value.isprintable():
            raise DeployError(
                f"--set: {name}={value!r}: a value does not begin with a dash, nor holds what does not print"
            )
        found[name] = value
    return found


def _settle_peers(settings: dict[str, str], changes: Changes) -> None:
    peers = {each.partition("@")[0]: each for each in _split(settings.get(PEERS, ""))}
    for identity in changes.no_peers:
        if _IDENTITY.fullmatch(identity) is None:
            raise DeployError(f"--no-peer: {identity!r} must be a node's id, 64 hexadecimal digits")
        # One that is none is fine: the same command may be given again.
        peers.pop(identity, None)
    for each in changes.peers:
        peers[each.partition("@")[0]] = each
    if not peers and not changes.no_peers:
        return
    for each in peers.values():
        why = "one at a time, without a comma" if "," in each else unusable_peer(each)
        if why:
            raise DeployError(f"--peer: {each!r}: {why}")
    settings[PEERS] = ",".join(peers.values())


def _settle_extras(settings: dict[str, str], changes: Changes) -> None:
    """A profile that goes off takes along what the services were told of it."""
    running = dict.fromkeys(_split(settings.get(RUNNING, "")))
    for extra in changes.without:
        running.pop(extra, None)
        for name, value in EXTRAS[extra].items():
            if settings.get(name) == value:
                del settings[name]
    for extra in changes.extras:
        running[extra] = None
        settings |= EXTRAS[extra]
    if "tor" in running and not settings.get("LUCID_TOR"):
        raise DeployError("--with tor: name its image, --set LUCID_TOR=IMAGE:TAG, which listens for SOCKS on port 9050")
    if running:
        settings[RUNNING] = ",".join(running)
    else:
        settings.pop(RUNNING, None)


def _split(text: str) -> list[str]:
    return [each for each in text.split(",") if each]
