"""Web pages of strangers, by the headers of what a browser sends for them."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import Headers

from lucid.services.web.websites import host_name, is_loopback, is_public, same_site


@pytest.mark.parametrize(
    ("host", "name", "here", "strange"),
    [
        ("", "", True, False),
        ("localhost:8084", "localhost", True, False),
        ("a.localhost", "a.localhost", True, True),
        ("127.0.0.1:1", "127.0.0.1", True, False),
        ("[::1]:8084", "::1", True, False),
        ("192.168.1.9:8086", "192.168.1.9", False, False),
        ("pi", "pi", False, False),
        ("127.0.0.1.example.org", "127.0.0.1.example.org", False, True),
    ],
)
def test_what_a_host_means(host: str, name: str, here: bool, strange: bool) -> None:
    assert host_name(host) == name and (is_loopback(name), is_public(name)) == (here, strange)


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "http://A:1", "Host": "a:1"}, True),
        ({"Origin": "http://a:2", "Host": "a:1"}, False),
        ({"Origin": "null", "Host": "a:1"}, False),
        ({"Origin": "http://[", "Host": "a:1"}, False),
    ],
)
def test_whether_a_request_is_another_sites_doing(headers: dict[str, str], same: bool) -> None:
    assert same_site(Headers(headers)) is same
