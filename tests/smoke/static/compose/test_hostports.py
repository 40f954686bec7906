"""Ports of the host that two services would publish."""

from __future__ import annotations

import pytest

from smoke.static.compose.document import read_yaml
from smoke.static.compose.hostports import taken_twice

TWICE = ["b and a both publish port 80 of the host"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{a: {ports: ["80:1"]}, b: {ports: ["80:2"]}}', TWICE),
        ('{a: {ports: ["80:1"]}, b: {ports: [{published: 80, target: 2}]}}', TWICE),
        ('{a: {ports: ["80:1"]}, b: {ports: ["81:1"]}}', []),
        ('{a: {ports: ["80:1"]}, b: {ports: ["80:1/udp"]}}', []),
        ('{a: {ports: ["80:1"]}, b: {ports: ["127.0.0.2:80:1"]}}', []),
        ('{a: {ports: ["80:1"]}, b: {ports: ["80:1"], profiles: [x]}}', []),
        ('{a: {ports: ["80:1"]}, b: {ports: ["80:1"], extends: a}}', []),
        ('{a: {ports: ["80:1"]}, b: {ports: ["80:1"], extends: {service: a}}}', []),
        ('{c: {}, a: {ports: ["80:1"], extends: c}, b: {ports: ["80:1"], extends: {service: c}}}', []),
        ('{a: {ports: ["80:1"]}, b: {ports: ["80:1"], extends: {service: a, file: other.yaml}}}', TWICE),
        ('{a: {ports: ["80:1"]}, b: {ports: ["80:1"], extends: gone}}', TWICE),
    ],
)
def test_one_port_is_published_once(text: str, found: list[str]) -> None:
    services = read_yaml(text).mapping or {}
    assert [message for _, message in taken_twice(services)] == found
