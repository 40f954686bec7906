"""What `lucid smoke live` is told of a node of Lucid, without running one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from harness.live.product import SERVICES, product
from harness.live.standing import StandingNode
from smoke.finding import Finding, Verdict
from smoke.live.failure import LiveError
from smoke.manifest import Manifest
from smoke.manifestfile import read_manifest

ROOT = Path(__file__).parents[3]


def inside(contained: bool) -> Any:
    """A node as far as settings ask for it."""
    return SimpleNamespace(
        contained=contained,
        folder=Path("/node"),
        settings={"STORE": "memory:"},
        inner_url=lambda service: f"http://{service}:1",
        address=lambda service: "10.0.0.2",
        port=lambda service: 4711,
    )


def test_images_and_users_are_the_manifest_s_and_the_rest_is_known() -> None:
    known = product(read_manifest(ROOT / "smoke.toml"), {})
    assert [*known.services] == [*SERVICES], "the manager starts first: the others ask it"
    for name, service in known.services.items():
        assert service.image and service.user == "65532:65532" and service.platform == "linux/arm64"
        assert (service.port, service.service) == (SERVICES[name].port, SERVICES[name].service)
        assert (service.health, service.writes) == ("/health", ("/data",))
    assert all(service.image is None for service in product(Manifest(), {}).services.values())


def test_a_container_is_given_files_and_its_address_a_process_paths_and_a_port() -> None:
    known = product(Manifest(), {})
    given = known.environment(inside(True), "data")
    assert given["LUCID_KEY"] == "/config/lucid/node.key" and given["LUCID_ADVERTISE"] == "10.0.0.2"
    assert given["LUCID_ENGINE_URL"] == "http://engine:1" and given["LUCID_STORE"] == "memory:"
    assert "LUCID_PORT" not in given
    given = known.environment(inside(False), "data")
    assert given["LUCID_KEY"] == "/node/node.key" and given["LUCID_PORT"] == "4711"
    assert given["LUCID_API_TOKENS"] == known.api_token and "LUCID_ADVERTISE" not in given


def test_the_engine_alone_is_given_the_key(tmp_path: Path) -> None:
    for name in ("genesis.toml", "node.id", "node.key", "node.key.unused"):
        (tmp_path / name).write_text(name)
    node: Any = SimpleNamespace(folder=tmp_path)
    known = product(Manifest(), {})
    assert {*known.files(node, "data")} == {"lucid/genesis.toml", "lucid/node.id"}
    assert known.files(node, "engine")["lucid/node.key"] == b"node.key"


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (None, ""),
        (httpx.Response(503, json={"status": "degraded"}), "degraded"),
        (httpx.Response(200, json={"status": "healthy"}), "healthy"),
        (httpx.Response(200, json=["healthy"]), ""),
        (httpx.Response(502, text="<html>"), ""),
    ],
)
def test_the_state_is_what_the_answer_says(answer: httpx.Response | None, state: str) -> None:
    assert product(Manifest(), {}).state(inside(False), "data", answer) == state


def test_a_program_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(LiveError, match="there is no program no-such-redis"):
        product(Manifest(), {"redis": "no-such-redis"})


@pytest.mark.parametrize(
    ("settings", "says"),
    [(None, "No such file"), ("genesis =", "client.toml"), ('genesis = "g"\n', "api_tokens, manager_url")],
)
def test_settings_that_name_no_node_are_one_sentence(tmp_path: Path, settings: str | None, says: str) -> None:
    file = tmp_path / "client.toml"
    if settings is not None:
        file.write_text(settings)
    with pytest.raises(LiveError, match=says):
        product(Manifest(), {}).standing(tmp_path, file)


def test_a_node_that_runs_is_never_hurt(tmp_path: Path) -> None:
    lines = ['genesis = "genesis.toml"', 'api_tokens = ["secret"]']
    lines += [f'{name}_url = "http://127.0.0.1:9/{name}/"' for name in SERVICES]
    (tmp_path / "client.toml").write_text("\n".join(lines))
    known = product(Manifest(), {})
    node = known.standing(tmp_path, tmp_path / "client.toml", emulated=True)
    assert isinstance(node, StandingNode) and node.emulated and known.api_token == "secret"
    assert node.url("data") == "http://127.0.0.1:9/data"
    for hurts in (lambda: node.kill("data"), lambda: node.stop(["data"], 1), lambda: node.data("data")):
        with pytest.raises(LiveError):
            hurts()
    run: Any = SimpleNamespace(node=node)
    steps = known.further(run, lambda *_, **__: pytest.fail("no node is made"), tmp_path)
    found: list[Finding] = [finding for _, step in steps for finding in step()]
    assert [(each.check, each.verdict) for each in found] == [
        ("live.phase1", Verdict.SKIP),
        ("live.disk", Verdict.SKIP),
    ]
