"""What a service is told: one loader for TOML files and the environment, which wins; every wrong key named at once."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import msgspec

from lucid.api.services import ANCHORING, DATA, ENGINE, MANAGER, PEER_PORT, SERVICES
from lucid.chain.errors import Code, LucidError
from lucid.chain.placement import MAX_WEIGHT
from lucid.services.peer.addresses import parse_address, unusable_peer
from lucid.services.process.keyfile import id_path, passphrase
from lucid.services.web.redis import parse_url

PREFIX = "LUCID_"
FILE_VARIABLE = "LUCID_CONFIG"
STORES = ("sqlite:", "mongodb://", "mongodb+srv://")
MAX_FILE_BYTES = 4 << 20
"""What a file that a service is told to read may have: a device that never ends is one sentence."""
MOST = 2**53
"""No number of a setting is larger, so that its thousandfold still is one for every reader."""
_TOKEN = re.compile("[!-~]([ -~]*[!-~])?")
"""What can stand in a header as it is."""


class ConfigError(LucidError):
    """The configuration is wrong; `detail` names every key that is."""

    def __init__(self, detail: str) -> None:
        super().__init__(Code.CONFIG, detail)


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One service's settings. Paths are relative to the working directory; `docs/services.md` explains each."""

    genesis: Path = Path("genesis.toml")
    key: Path = Path("node.key")
    id: Path | None = None
    key_passphrase: str = ""
    key_passphrase_file: Path | None = None
    data_dir: Path = Path("data")
    bind: str = "127.0.0.1"
    port: int = 0
    store: str = ""
    store_password: str = ""
    token: str = ""
    api_tokens: tuple[str, ...] = ()
    operator_token: str = ""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_ca: Path | None = None
    engine_url: str = ENGINE.url
    anchoring_url: str = ANCHORING.url
    manager_url: str = MANAGER.url
    data_url: str = DATA.url
    peers: tuple[str, ...] = ()
    peer_bind: str = "0.0.0.0"
    peer_port: int = PEER_PORT
    socks5: str = ""
    redis_url: str = ""
    consul_url: str = ""
    consul_token: str = ""
    advertise: str = ""
    journal: Path | None = None
    requests_per_second: int = 200
    chunk_quota_bytes: int = 0
    disk_reserve_bytes: int = -1
    capacity_tickets: int = 0
    replication_bytes_per_s: int = 2 << 20
    replication_bound_s: int = 3_600
    scrub_period_s: int = 30 * 86_400
    scrub_tranquility: int = 4

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        return self.bind == "localhost" or ipaddress.ip_address(self.bind).is_loopback

    @property
    def id_file(self) -> Path:
        """Where the node's id is: every service reads it, and only the engine the key."""
        return self.id or id_path(self.key)

    def passphrase(self) -> bytes | None:
        """What opens the key file, if it is locked: as set, or as systemd hands it in. Raises `KeyFileError`."""
        return passphrase(self.key_passphrase, self.key_passphrase_file)

    def trust(self) -> ssl.SSLContext:
        """What TLS connections to other services and nodes are checked against: `tls_ca`, or the system's."""
        return ssl.create_default_context(cafile=None if self.tls_ca is None else str(self.tls_ca))

    def store_url(self, service: str) -> str:
        """Where a service's store is: SQLite in `data_dir` unless `store` names another, `{service}` in it replaced."""
        return self.store.replace("{service}", service) or f"sqlite:{self.data_dir / service}.sqlite"


def load_config(environment: Mapping[str, str] = os.environ, file: Path | None = None, **fixed: Any) -> Config:
    """The settings from `file` (or the one that `LUCID_CONFIG` names), the environment, and `fixed`, which wins.

    A list in the environment is separated by commas. Raises `ConfigError`.
    """
    values: dict[str, Any] = {}
    wrong: list[str] = []
    broken: set[str] = set()
    """Keys whose values are of the wrong type: nothing more is said of them."""
    path = file or (Path(environment[FILE_VARIABLE]) if FILE_VARIABLE in environment else None)
    if path is not None:
        values |= _read(path)
    for name, value in environment.items():
        if name.startswith(PREFIX) and name != FILE_VARIABLE:
            key = name.removeprefix(PREFIX).lower()
            values[key] = [each.strip() for each in value.split(",") if each.strip()] if key in _LISTS else value
    values |= fixed
    checked: dict[str, Any] = {}
    for key, value in values.items():
        if key not in _TYPES:
            wrong.append(f"{key} is not a setting")
            continue
        try:
            checked[key] = msgspec.convert(value, _TYPES[key], strict=False, dec_hook=_path)
        except (msgspec.ValidationError, UnicodeEncodeError) as error:
            # Bytes of an environment that are not UTF-8 come as characters that have no bytes.
            wrong.append(f"{key}: {error if isinstance(error, msgspec.ValidationError) else 'is not UTF-8'}")
            broken.add(key)
    config = Config(**checked)
    wrong += [each.sentence for each in _impossible(config) if broken.isdisjoint(each.keys)]
    if wrong:
        raise ConfigError("; ".join(sorted(wrong)))
    return config


_TYPES: dict[str, Any] = get_type_hints(Config)
_LISTS = tuple(key for key, kind in _TYPES.items() if kind == tuple[str, ...])


def _path(kind: type, value: Any) -> Path:
    """msgspec knows no paths."""
    if kind is not Path or not isinstance(value, str | Path) or "\0" in str(value):
        raise ValueError("Expected a path")
    return Path(value)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(path))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:  # not text, not TOML, too deep or too long
        raise ConfigError(f"{path}: {error}") from None


def read_text(path: Path) -> str:
    """The text of a file that a setting names. Raises OSError, and ValueError for what is not text or has no end."""
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(f"it has more than {MAX_FILE_BYTES} bytes")
    return data.decode()


class _Wrong(NamedTuple):
    """What is wrong with the values of some keys."""

    keys: tuple[str, ...]
    sentence: str


def _impossible(config: Config) -> Iterator[_Wrong]:
    """What no single key's type shows."""
    least = {"requests_per_second": 1, "replication_bytes_per_s": 1_024, "replication_bound_s": 1, "scrub_period_s": 1}
    for key, value in least.items():
        if getattr(config, key) < value:
            yield _Wrong((key,), f"{key} must be at least {value}")
    for key in (*least, "chunk_quota_bytes", "disk_reserve_bytes"):
        if getattr(config, key) > MOST:
            yield _Wrong((key,), f"{key} must be at most {MOST}")
    for key in ("port", "peer_port"):
        if not 0 <= getattr(config, key) < 65_536:
            yield _Wrong((key,), f"{key} must be within 0..65535")
    if config.chunk_quota_bytes < 0:
        yield _Wrong(("chunk_quota_bytes",), "chunk_quota_bytes must be 0 (no quota) or more")
    if config.disk_reserve_bytes < -1:
        sentence = "disk_reserve_bytes must be -1 (a tenth of the disk, 256 MiB at most), 0 or more"
        yield _Wrong(("disk_reserve_bytes",), sentence)
    if not 0 <= config.capacity_tickets <= MAX_WEIGHT:
        sentence = f"capacity_tickets must be 0 (by the size of the disk) or within 1..{MAX_WEIGHT}"
        yield _Wrong(("capacity_tickets",), sentence)
    if not 0 <= config.scrub_tranquility <= 1_000:
        yield _Wrong(("scrub_tranquility",), "scrub_tranquility must be within 0..1000")
    if config.store and not config.store.startswith(STORES):
        yield _Wrong(("store",), "store must be sqlite:PATH or mongodb://HOST/DATABASE")
    if not config.key.name:
        yield _Wrong(("key",), "key must name a file")
    yield from _unusable_tokens(config)
    yield from _unusable_bind(config)
    yield from _unusable_tls(config)
    yield from _unusable_urls(config)
    yield from _unusable_peers(config)


def _unusable_tokens(config: Config) -> Iterator[_Wrong]:
    """What no header could hold. The tokens themselves are not shown."""
    for key in ("token", "operator_token", "consul_token", "api_tokens"):
        value: str | tuple[str, ...] = getattr(config, key)
        given = value if isinstance(value, tuple) else (value,) if value else ()
        if not all(map(_TOKEN.fullmatch, given)):
            yield _Wrong((key,), f"{key} must be of printable ASCII, without a space at an end")


def _unusable_bind(config: Config) -> Iterator[_Wrong]:
    try:
        if not config.loopback and not config.api_tokens:
            sentence = "api_tokens must be set where others than this machine can reach the service (bind)"
            yield _Wrong(("api_tokens", "bind"), sentence)
    except ValueError:
        yield _Wrong(("bind",), "bind must be an IP address or localhost")


def _unusable_peers(config: Config) -> Iterator[_Wrong]:
    try:
        ipaddress.ip_address(config.peer_bind)
    except ValueError:
        yield _Wrong(("peer_bind",), "peer_bind must be an IP address")
    for peer in config.peers:
        if why := unusable_peer(peer):
            yield _Wrong(("peers",), f"peers: {peer!r}: {why}")
    identities = [peer.partition("@")[0] for peer in config.peers]
    for each in dict.fromkeys(identities):
        if identities.count(each) > 1:
            yield _Wrong(("peers",), f"peers: {each} is named twice")
    if config.socks5:
        host, _, port = config.socks5.rpartition(":")
        if not host or not re.fullmatch("[1-9][0-9]{0,4}", port) or int(port) > 65_535:
            yield _Wrong(("socks5",), "socks5 must be HOST:PORT")


def _unusable_urls(config: Config) -> Iterator[_Wrong]:
    optional = ["consul_url"] if config.consul_url else []
    for key in (*(f"{service}_url" for service in SERVICES), *optional):
        try:
            parse_address(getattr(config, key), "http", "https", (80, 443))
        except ValueError as error:
            yield _Wrong((key,), f"{key}: {error}")
    if config.redis_url:
        try:
            parse_url(config.redis_url)
        except ValueError as error:
            yield _Wrong(("redis_url",), f"redis_url {error}")


def _unusable_tls(config: Config) -> Iterator[_Wrong]:
    pair = ("tls_cert", "tls_key")
    if (config.tls_cert is None) != (config.tls_key is None):
        yield _Wrong(pair, "tls_cert and tls_key belong together")
    elif config.tls_cert is not None and config.tls_key is not None:
        try:
            # Without a password of its own OpenSSL would ask for one at the terminal, and wait.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(config.tls_cert, config.tls_key, lambda: "")
        except OSError as error:
            yield _Wrong(pair, f"tls_cert and tls_key cannot be used: {error}")
    try:
        config.trust()
    except OSError as error:
        yield _Wrong(("tls_ca",), f"tls_ca cannot be used: {error}")
