"""Schemathesis against every service's own description: no request is answered with a failure of the service."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from lucid.services.devnet import SERVICES, Devnet

EXAMPLES = 12


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
            response = case.call(headers={"Authorization": f"Bearer {node.token}"}, timeout=20)
            assert response.status_code < 500, f"{case.method} {case.path}: {response.status_code} {response.text}"
            case.validate_response(response, checks=[schemathesis.checks.response_schema_conformance])

        holds()
    assert seen > 5
