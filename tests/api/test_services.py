"""Names and ports of the services: whatever else has to name them says what the one table says."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from lucid.api.services import PEER_PORT, SERVICES, NodeService
from lucid.deploy.settings import compose_file
from lucid.services.anchoring import AnchoringService
from lucid.services.data import DataService
from lucid.services.engine import EngineService
from lucid.services.manager import ManagerService
from lucid.services.process.config import Config
from smoke.manifestfile import read_manifest

ROOT = Path(__file__).parents[2]
KINDS = {"manager": ManagerService, "engine": EngineService, "anchoring": AnchoringService, "data": DataService}


@pytest.fixture(params=SERVICES, ids=str)
def service(request: pytest.FixtureRequest) -> NodeService:
    """Each service of the table."""
    return SERVICES[request.param]


def test_each_is_what_its_module_runs(service: NodeService) -> None:
    assert KINDS[service.key].listed is service
    assert find_spec(service.module) is not None


def test_no_two_share_a_name_or_a_port() -> None:
    ports = [each.port for each in SERVICES.values()]
    assert len({*ports, PEER_PORT}) == len(SERVICES) + 1
    assert len({each.name for each in SERVICES.values()}) == len(SERVICES)
    assert [*SERVICES] == [each.key for each in SERVICES.values()]


def test_the_settings_reach_it_where_it_is(service: NodeService) -> None:
    assert getattr(Config(), f"{service.key}_url") == f"http://127.0.0.1:{service.port}"
    assert Config().peer_port == PEER_PORT


def test_its_image_runs_it_and_probes_its_port(service: NodeService) -> None:
    text = (ROOT / f"images/Dockerfile.{service.key}").read_text()
    exposed = [str(service.port), *([str(PEER_PORT)] if service.key == "manager" else [])]
    assert re.findall(r"^EXPOSE (.*)$", text, re.M) == [" ".join(exposed)]
    assert re.findall(r'"127\.0\.0\.1:(\d+)"', text) == [str(service.port)]
    assert re.findall(r'^CMD \["-m", "([\w.]+)"\]$', text, re.M) == [service.module]


def test_compose_runs_its_image_and_says_its_port(service: NodeService) -> None:
    services = yaml.safe_load(compose_file())["services"]
    entry = services[service.key]
    assert entry["image"].rpartition(":")[0] == service.image
    assert entry["environment"][f"LUCID_{service.key.upper()}_URL"] == f"http://{service.key}:{service.port}"
    known = {service.port, *([PEER_PORT] if service.key == "manager" else [])}
    published = [each.rsplit(":", 2)[1:] for each in entry.get("ports", ())]
    assert {int(port) for pair in published for port in pair} <= known


def test_the_smoke_manifest_has_it(service: NodeService) -> None:
    found = {each.name: each for each in read_manifest(ROOT / "smoke.toml").services}[service.key]
    assert (found.service, found.port, found.module) == (service.name, service.port, service.module)
    assert (found.image or "").rpartition(":")[0] == service.image


def test_the_bake_file_builds_it(service: NodeService) -> None:
    text = (ROOT / "images/docker-bake.hcl").read_text()
    target = text.partition(f'target "{service.key}" {{')[2].partition("}")[0]
    assert f'"images/Dockerfile.{service.key}"' in target
    assert f'["{service.image}:' in target


def test_nothing_else_is_a_service() -> None:
    assert {path.suffix[1:] for path in (ROOT / "images").glob("Dockerfile.*")} == {*SERVICES}
    assert {each.name for each in read_manifest(ROOT / "smoke.toml").services} == {*SERVICES}
