"""Settings: what is wrong is named, all of it at once, and nothing that cannot be is let through."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.chain.errors import GenesisError
from lucid.services.process.config import MAX_FILE_BYTES, Config, ConfigError, load_config
from lucid.services.process.service import read_genesis
from tests.services.process.certificates import certified

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
        ("socks5", "tor:0655351"),
        ("socks5", ":9050"),
        ("key", ""),
        ("key", "/"),
        ("genesis", "a\0b"),
        ("token", "schlüssel"),
        ("token", "ends "),
        ("operator_token", "line\n"),
        ("api_tokens", "good,schlüssel"),
        ("consul_token", "\udcff"),
        ("scrub_period_s", "9" * 30),
        ("disk_reserve_bytes", "9" * 30),
    ],
)
def test_what_can_not_be_is_refused(key: str, value: str) -> None:
    named = "api_tokens" if value == "0.0.0.0" else key
    with pytest.raises(ConfigError, match=named):
        load_config({f"LUCID_{key.upper()}": value})


@pytest.mark.parametrize(
    "text",
    [
        *("[", "port = ", "\udcff", "port = " + "1" * 5_000),
        *("peers = " + "[" * 100_000, "#" * (MAX_FILE_BYTES + 1)),
    ],
    ids=["open", "none", "bytes", "digits", "deep", "long"],
)
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "node.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match=r"node\.toml"):
        load_config({}, tmp_path / "node.toml")
    with pytest.raises(ConfigError, match="missing"):
        load_config({"LUCID_CONFIG": str(tmp_path / "missing")})


def test_an_empty_token_is_none_at_all(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text('api_tokens = [""]\nbind = "0.0.0.0"\n')
    with pytest.raises(ConfigError, match="api_tokens"):
        load_config({}, tmp_path / "node.toml")


def test_a_genesis_document_that_is_not_there_or_has_no_end_is_named(tmp_path: Path) -> None:
    with pytest.raises(GenesisError, match=r"there is no .*genesis\.toml.*lucid genesis new"):
        read_genesis(tmp_path / "genesis.toml")
    with pytest.raises(GenesisError, match="more than"):
        read_genesis(Path("/dev/zero"))


def test_a_service_that_others_reach_needs_tokens() -> None:
    config = load_config({"LUCID_BIND": "0.0.0.0", "LUCID_API_TOKENS": "secret"})
    assert not config.loopback


@pytest.mark.parametrize("key", ["chunk_quota_bytes", "disk_reserve_bytes"])
def test_wrong_bounds_are_named(key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        load_config({f"LUCID_{key.upper()}": "-2"})


def test_certificates_that_can_not_be_used_are_named_at_the_start(tmp_path: Path) -> None:
    found = certified(tmp_path)
    with pytest.raises(ConfigError, match="tls_cert and tls_key belong together"):
        load_config({}, tls_cert=found["tls_cert"])
    with pytest.raises(ConfigError, match="tls_cert and tls_key cannot be used"):
        load_config({}, tls_cert=found["tls_cert"], tls_key=found["tls_ca"])
    with pytest.raises(ConfigError, match="tls_ca cannot be used"):
        load_config({}, tls_ca=tmp_path / "nothing.pem")


@pytest.mark.parametrize("key", ["genesis", "key", "data_dir", "tls_ca", "journal", "key_passphrase_file"])
def test_a_path_that_no_system_has_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match=f"{key}: Expected a path"):
        load_config({}, **{key: Path("a\0b")})


def test_a_key_for_tls_that_is_locked_is_refused_and_nobody_is_asked_for_its_password(tmp_path: Path) -> None:
    """OpenSSL would ask at the terminal, and a service that is started by hand would wait for an answer."""
    found = certified(tmp_path)
    key = load_pem_private_key(found["tls_key"].read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    found["tls_key"].write_bytes(locked)
    code = "import sys; from pathlib import Path; from lucid.services.process.config import load_config as load\n"
    code += "load({}, tls_cert=Path(sys.argv[1]), tls_key=Path(sys.argv[2]))"
    parent, child = os.openpty()
    command = [sys.executable, "-c", code, str(found["tls_cert"]), str(found["tls_key"])]
    with subprocess.Popen(
        command, stdin=child, stdout=child, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stderr is not None
        said = process.stderr.read()
    for each in (parent, child):
        os.close(each)
    assert b"tls_cert and tls_key cannot be used" in said and b"pass phrase" not in said


KEYS = sorted(Config.__struct_fields__)


def test_bytes_that_are_no_text_are_told_by_their_key() -> None:
    with pytest.raises(ConfigError) as found:
        load_config({"LUCID_PORT": "\udcff"})
    assert found.value.detail == "port: is not UTF-8"


@settings(max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from(KEYS),
        st.text(st.characters(exclude_characters="\0"))
        | st.integers().map(str)
        | st.sampled_from([PEER, "::1", "a:1"]),
        max_size=4,
    )
)
def test_any_environment_is_a_configuration_or_names_the_keys_that_are_wrong(given: dict[str, str]) -> None:
    try:
        config = load_config({f"LUCID_{key.upper()}": value for key, value in given.items()})
    except ConfigError as error:
        assert any(key in error.detail for key in (*given, "api_tokens", "tls_cert"))
    else:
        assert config.loopback in (True, False)
        assert config.store_url("engine")
        config.trust()
