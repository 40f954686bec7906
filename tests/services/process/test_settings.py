"""Settings, key files and limits: what is wrong is named, and nothing is lost or let through."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lucid.chain.document import print_genesis
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.chain.keys import ed25519_public_key
from lucid.services.engine import EngineService
from lucid.services.process.config import Config, ConfigError, load_config
from lucid.services.process.keyfile import KeyFileError, read_key, unused, write_key
from lucid.services.web import limits
from lucid.services.web.limits import BURST_S, RateLimits

PEER = "ab" * 32 + "@tcp://127.0.0.1:8088"


def test_without_any_setting_a_service_is_for_this_machine_alone() -> None:
    config = load_config({})
    assert config == Config() and config.loopback
    assert config.store_url("engine") == "sqlite:data/engine.sqlite"


def test_the_environment_wins_over_the_file_and_an_argument_over_both(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text(f'port = 1\nbind = "::1"\ndata_dir = "a"\npeers = ["{PEER}"]\njournal = "j"\n')
    environment = {"LUCID_CONFIG": str(file), "LUCID_PORT": "2", "LUCID_DATA_DIR": "b", "OTHER": "x"}
    config = load_config(environment)
    assert (config.port, config.data_dir, config.bind) == (2, Path("b"), "::1")
    assert config.peers == (PEER,) and config.journal == Path("j") and config.loopback
    assert load_config(environment, port=3).port == 3
    assert load_config({"LUCID_API_TOKENS": "one, two ,"}).api_tokens == ("one", "two")
    assert load_config({"LUCID_STORE": "mongodb://h/d"}).store_url("engine") == "mongodb://h/d"


def test_every_wrong_key_is_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text('prot = 1\nport = "x"\ndata_dir = 3\n')
    with pytest.raises(ConfigError) as caught:
        load_config({"LUCID_NOTHING": "1"}, file)
    for key in ("prot", "port", "data_dir", "nothing"):
        assert f"{key}" in caught.value.detail


def test_what_can_not_be_is_named_beside_what_is_no_setting_and_what_has_the_wrong_type(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text('color = 1\nbind = 3\ntls_cert = 4\nrequests_per_second = -4\npeers = ["x"]\nstore = "mysql:x"\n')
    with pytest.raises(ConfigError) as caught:
        load_config({"LUCID_PEER_PORT": "-1", "LUCID_TLS_KEY": "k"}, file)
    named = sorted(sentence.split()[0].rstrip(":") for sentence in caught.value.detail.split("; "))
    assert named == ["bind", "color", "peer_port", "peers", "requests_per_second", "store", "tls_cert"], "each once"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("port", "65536"),
        ("store", "mysql:x"),
        ("tls_ca", "/missing"),
        ("tls_cert", "/missing"),
        ("port", "-1"),
        ("bind", "somewhere"),
        ("bind", "0.0.0.0"),
        ("requests_per_second", "0"),
        ("manager_url", "ftp://x"),
        ("manager_url", "http://[::1"),
        ("engine_url", "http://h:99999"),
        ("data_url", "http://"),
        ("consul_url", "http://a..b:1"),
        ("peers", "x"),
        ("peers", "AB" * 32 + "@tcp://h"),
        ("peers", "ab" * 32 + "@http://h"),
        ("peers", "ab" * 32 + "@ws://h:8086"),
        ("peers", PEER + "," + PEER),
        ("peer_port", "65536"),
        ("peer_bind", "somewhere"),
        ("socks5", "tor"),
        ("socks5", "tor:99999"),
    ],
)
def test_what_can_not_be_is_refused(key: str, value: str) -> None:
    named = "api_tokens" if value == "0.0.0.0" else key
    with pytest.raises(ConfigError, match=named):
        load_config({f"LUCID_{key.upper()}": value})


@pytest.mark.parametrize("text", ["[", "port = ", "\udcff"])
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "node.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match=r"node\.toml"):
        load_config({}, tmp_path / "node.toml")
    with pytest.raises(ConfigError, match="missing"):
        load_config({"LUCID_CONFIG": str(tmp_path / "missing")})


def test_a_service_that_others_reach_needs_tokens() -> None:
    config = load_config({"LUCID_BIND": "0.0.0.0", "LUCID_API_TOKENS": "secret"})
    assert not config.loopback


# -- key files ---------------------------------------------------------------------------------------------------


def test_a_key_is_its_owner_s_alone_and_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "node.key"
    secret = write_key(path)
    assert path.stat().st_mode & 0o777 == 0o600 and read_key(path) == secret and unused(path).exists()
    with pytest.raises(KeyFileError, match="exists already"):
        write_key(path)
    assert read_key(path) == secret
    assert write_key(tmp_path / "other.key") != secret


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    write_key(path)
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_key(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80).filter(lambda data: len(data.strip()) != 64))
def test_a_file_without_a_key_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "node.key"
    path.write_bytes(data)
    os.chmod(path, 0o600)
    with pytest.raises(KeyFileError, match=r"node\.key"):
        read_key(path)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="No such file"):
        read_key(tmp_path / "node.key")


# -- limits ------------------------------------------------------------------------------------------------------


def test_a_caller_has_a_burst_and_then_a_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("lucid.services.web.limits.time.monotonic", lambda: now)
    rates = RateLimits(10)
    assert [rates.take("a") for _ in range(10 * BURST_S + 1)].count(True) == 10 * BURST_S
    assert rates.take("b")
    now += 0.5
    assert [rates.take("a") for _ in range(6)] == [True] * 5 + [False]
    now += 3_600
    assert [rates.take("a") for _ in range(10 * BURST_S + 1)].count(True) == 10 * BURST_S


def test_callers_are_forgotten_so_that_they_take_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CALLERS", 100)
    rates = RateLimits(10)
    for number in range(1_000):
        assert rates.take(str(number))
        assert len(rates._buckets) <= 100


def test_an_engine_that_can_not_take_the_mark_of_a_fresh_key_away_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ed25519_public_key(write_key(tmp_path / "node.key"))
    (tmp_path / "genesis.toml").write_text(print_genesis(Genesis(0, (GenesisNode(key, "pi"),))))
    config = load_config({}, genesis=tmp_path / "genesis.toml", key=tmp_path / "node.key", data_dir=tmp_path / "data")
    # Root may write anywhere, so the answer is given for it.
    monkeypatch.setattr("lucid.services.engine.os.access", lambda path, mode: False)
    with pytest.raises(ConfigError, match=r"node\.key\.unused cannot be removed"):
        EngineService(config)
