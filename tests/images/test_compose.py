"""The Compose file: who reaches MongoDB and as whom, and that the rest of the project says the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml  # type: ignore[import-untyped]

from lucid.cli.main import parser
from lucid.deploy.deployment import _VOLUMES
from lucid.deploy.settings import STORE_PASSWORDS, compose_file

ROOT = Path(__file__).parents[2]
NODE = ("manager", "engine", "anchoring", "data")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The Compose file as Compose reads it."""
    read: dict[str, Any] = yaml.safe_load(compose_file())
    return read


def test_only_the_node_s_own_services_share_a_network_with_mongodb(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["mongodb"]["networks"] == ["store"]
    assert compose["networks"]["store"] == {"internal": True}
    reach = {name for name, service in services.items() if "store" in service["networks"]}
    assert reach == {*NODE, "mongodb", "store-key", "replica-set"}
    assert "ports" not in services["mongodb"]
    assert not {*services["tor"]["networks"]} & {"store", "node"}


def test_mongodb_lets_nobody_in_without_a_login(compose: dict[str, Any]) -> None:
    services = compose["services"]
    command = services["mongodb"]["command"]
    key = command[command.index("--keyFile") + 1]
    assert key.startswith("/store-key/")
    mounts = {
        name: each for name, service in services.items() for each in service.get("volumes", ()) if "store-key" in each
    }
    assert mounts == {
        "mongodb": "store-key:/store-key:ro",
        "store-key": "store-key:/store-key",
        "replica-set": "store-key:/store-key:ro",
    }
    made = parser().parse_args(services["store-key"]["command"][2:])
    assert str(made.file) == key
    assert {services[name]["user"] for name in ("store-key", "replica-set")} == {"999:999"}
    # A fresh volume is its user's only where the image has the folder so.
    for service in NODE:
        assert "--chown=999:999 /empty /store-key" in (ROOT / f"images/Dockerfile.{service}").read_text()


def test_each_service_has_a_login_of_its_own_and_no_password_stands_in_a_url(compose: dict[str, Any]) -> None:
    services = compose["services"]
    prepared = parser().parse_args(services["replica-set"]["command"][2:])
    logins = dict(each.split("=") for each in prepared.login)
    told = services["replica-set"]["environment"]
    assert set(told) == set(STORE_PASSWORDS) == set(logins.values())
    for name in NODE:
        url = urlsplit(services[name]["environment"]["LUCID_STORE"])
        assert url.username == url.path.removeprefix("/") and url.password is None
        own = told[logins[str(url.username)]]
        assert services[name]["environment"]["LUCID_STORE_PASSWORD"] == own
        assert own.startswith(f"${{LUCID_STORE_PASSWORD_{name.upper()}:?"), "Compose refuses to start without it"
        others = {variable for variable in STORE_PASSWORDS if told[variable] != own}
        assert not any(each in str(services[name]) for each in others)


def test_all_volumes_go_when_a_node_is_taken_away_with_its_data(compose: dict[str, Any]) -> None:
    assert {*_VOLUMES} == set(compose["volumes"])
