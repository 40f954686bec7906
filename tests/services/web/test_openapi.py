"""Schemathesis against every service's own description: no request is answered with a failure of the service."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from lucid.chain.errors import Code
from lucid.services.chain.ownclaims import Holding
from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES, DevNode
from lucid.services.web.admission import READ
from lucid.services.web.openapi import describe
from lucid.services.web.route import Route

EXAMPLES = 12
CHUNK = bytes(4_096)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_does_as_it_says(lone: Devnet, service: str) -> None:
    node = lone.nodes[0]
    schema = schemathesis.openapi.from_url(f"{node.url(service)}/openapi.json")
    seen = 0
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        if operation.path.startswith("/node/final"):
            continue  # it waits for as long as it is asked to
        seen += 1

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
            database=None,
        )
        def holds(case: schemathesis.Case[Any]) -> None:
            response = case.call(headers={"Authorization": f"Bearer {node.token}"}, timeout=60)
            assert response.status_code < 500, f"{case.method} {case.path}: {response.status_code} {response.text}"
            case.validate_response(response, checks=[schemathesis.checks.response_schema_conformance])

        holds()
    assert seen > 5


def described(node: DevNode, service: str) -> dict[str, Any]:
    """What a service says of itself."""
    found: dict[str, Any] = httpx.get(f"{node.url(service)}/openapi.json").json()
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_every_parameter_and_body_is_explained_with_an_example(lone: Devnet, service: str) -> None:
    for path, methods in described(lone.nodes[0], service)["paths"].items():
        for method, operation in methods.items():
            for parameter in operation["parameters"]:
                assert parameter["description"], f"{method} {path}: {parameter['name']}"
                assert "example" in parameter or parameter["name"] == "after", f"{method} {path}: {parameter['name']}"
                pattern = parameter["schema"].get("pattern")
                assert not pattern or parameter["name"] == "after" or re.search(pattern, str(parameter["example"]))
            assert {"429", "503", "default"} <= set(operation["responses"]), f"{method} {path}"
            assert all(answer["description"] for answer in operation["responses"].values())


def test_the_examples_of_bodies_are_taken(lone: Devnet) -> None:
    """Those of the report that this project began with among them: /anchor-session, /validate-block, /store-data."""
    node = lone.nodes[0]
    headers = {"Authorization": f"Bearer {node.token}"}
    bodies = {
        (service, path): operation["requestBody"]["content"]["application/json"]["examples"]["example"]["value"]
        for service in SERVICES
        for path, methods in described(node, service)["paths"].items()
        for operation in methods.values()
        if "examples" in operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    }
    assert set(bodies) >= {
        ("anchoring", "/anchor-session"),
        ("manager", "/validate-block"),
        ("engine", "/transactions"),
    }
    for (service, path), body in bodies.items():
        answer = httpx.post(node.url(service) + path, json=body, headers=headers, timeout=60)
        assert answer.status_code in (200, 202), (path, answer.text)
    judged = httpx.post(
        f"{node.url('manager')}/validate-block", json=bodies["manager", "/validate-block"], headers=headers
    )
    assert judged.json()["valid"] is False and judged.json()["code"].startswith("LUCID_ERR_")
    [session] = [
        each["example"]
        for each in described(node, "data")["paths"]["/store-data"]["post"]["parameters"]
        if each["name"] == "session"
    ]
    stored = httpx.post(
        f"{node.url('data')}/store-data?session={session}",
        content=CHUNK,
        headers={**headers, "Content-Type": "application/octet-stream"},
    )
    assert stored.status_code == 201 and stored.json()["size"] == len(CHUNK)


@pytest.mark.parametrize("service", SERVICES)
def test_the_example_of_no_body_is_malformed(lone: Devnet, service: str) -> None:
    """The chain may have something against it; that it cannot be read, or has another shape, may not be."""
    node, said = lone.nodes[0], described(lone.nodes[0], service)
    headers = {"Authorization": f"Bearer {node.token}"}
    for path, methods in said["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is None or "$ref" not in content["schema"] or "{" in path:
                continue
            [example] = said["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]["examples"]
            answer = httpx.request(method, node.url(service) + path, json=example, headers=headers, timeout=60)
            code = answer.json().get("error", {}).get("code")
            assert code not in (Code.REQUEST.code, Code.MALFORMED.code), (path, example, answer.text)


@pytest.mark.parametrize("service", SERVICES)
def test_health_is_described_as_the_report_has_it(lone: Devnet, service: str) -> None:
    node = lone.nodes[0]
    [example] = described(node, service)["components"]["schemas"]["Health"]["examples"]
    assert example == {"status": "healthy", "service": httpx.get(f"{node.url(service)}/ready").json()["service"]}


def test_a_tuple_of_a_fixed_length_is_what_generators_of_clients_read() -> None:
    route = Route("POST", "/x", "Try", READ, takes=Holding, raw=None, gives=None, status=200, query={})
    ranges = describe("engine", [route])["components"]["schemas"]["Holding"]["properties"]["ranges"]
    assert "items" not in ranges["items"] and ranges["items"]["maxItems"] == 2
