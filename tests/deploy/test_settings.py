"""The settings of a node on a host: kept, made once, added to, and refused where Compose could not take them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid.deploy import settings
from lucid.deploy.host import DeployError
from lucid.deploy.settings import Changes

ONE = "1" * 64

TWO = "2" * 64


def settle(held: dict[str, str], profile: str = "pi5", **changes: list[str]) -> dict[str, str]:
    return settings.settle(held, profile, Changes(**{name: tuple(each) for name, each in changes.items()}))


def test_settings_are_kept_and_tokens_made_once() -> None:
    first = settle({}, peers=[f"{ONE}@tcp://a:1"], extras=["redis"], given=["LUCID_PUBLISH=127.0.0.1"])
    again = settle(settings.parse(settings.write(first)))
    assert again == first
    assert first["COMPOSE_PROFILES"] == "redis"
    assert first["LUCID_REDIS_URL"] == "redis://redis:6379"
    assert len(first["LUCID_TOKEN"]) == 32 != len(first["LUCID_PEERS"])
    assert settle({}, "pi4")["LUCID_MONGODB"] == "mongo:4.4.18"
    assert settle({})["LUCID_TOKEN"] != first["LUCID_TOKEN"]


def test_peers_are_added_moved_and_left_out() -> None:
    held = settle({}, peers=[f"{ONE}@tcp://a:1"])
    both = settle(held, peers=[f"{TWO}@tcp://b:1"])
    assert both["LUCID_PEERS"] == f"{ONE}@tcp://a:1,{TWO}@tcp://b:1"
    assert settle(both, peers=[f"{ONE}@tcp://c:1"])["LUCID_PEERS"] == f"{ONE}@tcp://c:1,{TWO}@tcp://b:1"
    assert settle(both, no_peers=[ONE])["LUCID_PEERS"] == f"{TWO}@tcp://b:1"
    assert settle(settle(both, no_peers=[ONE]), no_peers=[TWO])["LUCID_PEERS"] == ""
    assert settle(held, no_peers=[TWO]) == held, "given again it does no harm"
    with pytest.raises(DeployError, match="--no-peer"):
        settle(held, no_peers=["pi2"])
    assert settings.warnings(both) == []
    assert "pi2.local" in settings.warnings(settle({}, peers=[f"{ONE}@tcp://pi2.local:8088"]))[0]


@pytest.mark.parametrize(
    "wrong", ["x", f"{ONE}@http://a:1", f"{ONE}@ws:", f"{ONE}@tcp://a:1,{TWO}@tcp://b:1", "@tcp://a"]
)
def test_a_peer_that_is_none_is_refused_here(wrong: str) -> None:
    with pytest.raises(DeployError, match="--peer"):
        settle({}, peers=[wrong])


def test_a_peer_of_an_earlier_release_is_named_before_anything_is_changed() -> None:
    with pytest.raises(DeployError, match=r"nodes no longer talk over WebSocket.*write NODE-ID@tcp://HOST:8088"):
        settle({"LUCID_PEERS": f"{ONE}@ws://a:8086"})
    assert settle({"LUCID_PEERS": f"{ONE}@ws://a:8086"}, peers=[f"{ONE}@tcp://a:8088"])["LUCID_PEERS"]


def test_what_runs_beside_goes_with_all_that_was_said_of_it() -> None:
    both = settle(settle({}, extras=["redis"]), extras=["consul"])
    assert both["COMPOSE_PROFILES"] == "redis,consul"
    one = settle(both, without=["redis"])
    assert one["COMPOSE_PROFILES"] == "consul"
    assert "LUCID_REDIS_URL" not in one
    assert "COMPOSE_PROFILES" not in settle(one, without=["consul"])
    elsewhere = settle({}, given=["LUCID_REDIS_URL=redis://10.0.0.1:6379"])
    assert settle(elsewhere, without=["redis"])["LUCID_REDIS_URL"] == "redis://10.0.0.1:6379"
    with pytest.raises(DeployError, match="LUCID_TOR"):
        settle({}, extras=["tor"])
    assert settle({}, extras=["tor"], given=["LUCID_TOR=x/tor:1"])["LUCID_SOCKS5"] == "tor:9050"


@pytest.mark.parametrize(
    "wrong",
    ["x", "lower=1", "A B=1", "LUCID_MEMORY=$HOME", "LUCID_MEMORY=a\nb", "LUCID_MEMORY='x'", 'LUCID_MEMORY="x"',
     "LUCID_MEMORY=a #b", "LUCID_MEMORY=a#b", "LUCID_MEMORY=a b", "LUCID_MEMORY=a\\b",
     "COMPOSE_PROJECT_NAME=other", "LUCID_MEMROY=1g"],
)  # fmt: skip
def test_a_setting_that_compose_could_not_take(wrong: str) -> None:
    with pytest.raises(DeployError):
        settle({}, given=[wrong])


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z][A-Z0-9_]{0,9}", fullmatch=True), st.text(st.characters(exclude_categories=["C", "Z"]))
    )
)
def test_settings_come_back_as_they_were_written(held: dict[str, str]) -> None:
    assert settings.parse(settings.write(held)) == held
