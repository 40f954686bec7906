"""Hosts of the network, by their domain or by a word in their labels."""

from __future__ import annotations

import pytest

from smoke.static.isolation.hosts import hosts


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://api.trongrid.io/v1", ["api.trongrid.io"]),
        ("nodes at api.trongrid.io.", ["api.trongrid.io"]),
        ("https://user:word@tron.example.test/", ["tron.example.test"]),
        ("https://my-usdt.example.com", ["my-usdt.example.com"]),
        ("import tron.py and com.sun.io.Stream", []),
        ("see https://sun.io", ["sun.io"]),
        ("electronics.com, neutron.org", []),
        ("tron.com()", []),
    ],
)
def test_hosts_are_told_from_files_attributes_and_other_words(text: str, found: list[str]) -> None:
    assert [host for _, host in hosts(text)] == found
