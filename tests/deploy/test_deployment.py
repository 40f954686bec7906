"""A deployment: its plan of steps, and when it takes a node for healthy."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lucid.deploy.deployment import PORTS, Deployment, DeployRequest, client_settings
from lucid.deploy.host import DeployError, Host
from tests.deploy.fakehost import FakeHost

UP, HALTED, STARTING = "Up 5 seconds (healthy)", "Up 2 minutes (unhealthy)", "Up 1 second (health: starting)"
GONE, ENDED = "", "Exited (2) 3 seconds ago"


@pytest.fixture
def awaited(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[str]]]:
    """Waits for a node whose services say one thing after the other; returns what was said of it."""
    with Host("pi@pi1.local") as host:

        def wait(restored: bool, *states: dict[str, str]) -> list[str]:
            said: list[str] = []
            node = Deployment(host, healthy_s=-1.0 if len(states) == 1 else 3_600.0, say=said.append)
            node.restored = restored
            left = iter(states)
            monkeypatch.setattr(node, "states", lambda: _there(dict.fromkeys(PORTS, UP) | next(left)))
            monkeypatch.setattr(node, "_last_words", lambda service: f"last words of {service}")
            node.await_healthy()
            assert next(left, None) is None, "it waited for nothing"
            return said

        yield wait


def _there(states: dict[str, str]) -> dict[str, str]:
    """Without the containers that are gone."""
    return {service: state for service, state in states.items() if state != GONE}


def test_a_healthy_node_is_waited_for_no_longer(awaited: Callable[..., list[str]]) -> None:
    assert awaited(False, {}) == awaited(True, {}) == []
    assert awaited(False, {"data": STARTING}, {"engine": GONE}, {}) == []


@pytest.mark.parametrize(
    ("states", "who"),
    [
        ({"engine": HALTED, "manager": HALTED}, "manager and engine run"),
        ({"engine": HALTED}, "engine runs"),
        ({"manager": HALTED}, "manager runs"),
    ],
)
def test_a_restored_node_that_may_not_sign_is_a_warning(
    awaited: Callable[..., list[str]], states: dict[str, str], who: str
) -> None:
    [said] = awaited(True, states)
    assert said.startswith("warning: restored") and who in said and "docs/operating.md" in said
    # Nothing is said before it is known: a service that starts may still become healthy.
    assert awaited(True, {**states, "engine": STARTING}, {}) == []
    assert awaited(True, {**states, "data": STARTING}, states) == [said]


@pytest.mark.parametrize("restored", [False, True])
@pytest.mark.parametrize("state", [HALTED, STARTING, GONE, ENDED])
@pytest.mark.parametrize("service", PORTS)
def test_anything_else_is_no_healthy_node(
    awaited: Callable[..., list[str]], restored: bool, service: str, state: str
) -> None:
    if restored and state == HALTED and service in ("engine", "manager"):
        return
    with pytest.raises(DeployError, match=f"{service} is not healthy") as refused:
        awaited(restored, {service: state})
    assert f"last words of {service}" in str(refused.value) and (state or "not there") in str(refused.value)


def test_a_chain_that_stands_still_excuses_no_other_service(awaited: Callable[..., list[str]]) -> None:
    with pytest.raises(DeployError, match="manager is not healthy"):
        awaited(True, {"engine": HALTED, "manager": HALTED, "data": HALTED})


# -- plans -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["", "-rf", "a\nb", "\x1b[2K"])
def test_a_folder_that_a_shell_would_act_on_is_refused(folder: str) -> None:
    with Host("pi") as host, pytest.raises(DeployError, match="--dir"):
        Deployment(host, folder)


def test_a_plan_is_what_an_operator_could_type_and_changes_nothing(bare: FakeHost, tmp_path: Path) -> None:
    with Host("pi", str(bare.ssh)) as host:
        node = Deployment(host)
        node.check()
        before = bare.calls()
        wanted = DeployRequest(
            genesis=tmp_path / "genesis.toml", key=tmp_path / "node.key", archive=tmp_path / "one.tar"
        )
        steps = node.plan(wanted)
        titles = [each.title for each in steps]
        assert titles[0] == "record what runs" and titles[-2:] == ["start", "wait until all four are healthy"]
        assert titles.index("put key and genesis into their volumes") < titles.index("write .env and compose.yaml")
        assert all(each.command.strip() for each in steps)
        assert not any(each.startswith(("compose up", "tag", "rm", "volume create", "load")) for each in
                       bare.calls()[len(before):])  # fmt: skip
        assert not (bare.home / "lucid").exists()
        assert (tmp_path / "node.key").read_text().strip() not in "".join(each.command for each in steps)
        with pytest.raises(DeployError, match="name its --genesis and its --key"):
            node.plan(DeployRequest(archive=tmp_path / "one.tar"))
        with pytest.raises(DeployError, match="no node is installed"):
            node.settings()


def test_data_go_only_with_a_step_of_their_own() -> None:
    with Host("pi") as host:
        node = Deployment(host)
        kept, gone = node.remove_steps(with_data=False), node.remove_steps(with_data=True)
    assert [each.command for each in gone[:-1]] == [each.command for each in kept]
    assert not any("volume" in each.command for each in kept)
    assert gone[-1].title == "remove key, chain, sessions and chunks"
    assert all(f"lucid_{name}" in gone[-1].command for name in ("config", "key", "manager", "engine", "data"))


def test_a_client_finds_the_node_by_settings_that_are_toml(tmp_path: Path) -> None:
    genesis = tmp_path / 'a "folder"' / "genesis.toml"
    text = client_settings({"data": 4_001, "manager": 4_002}, {"LUCID_API_TOKENS": "one,two"}, genesis)
    assert tomllib.loads(text) == {
        "genesis": str(genesis),
        "api_tokens": ["one", "two"],
        "data_url": "http://127.0.0.1:4001",
        "manager_url": "http://127.0.0.1:4002",
    }
