"""When a deployment takes a node for healthy: a restored one that may not sign yet is a warning, nothing else is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from lucid.deploy.deployment import PORTS, Deployment
from lucid.deploy.host import DeployError, Host

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
