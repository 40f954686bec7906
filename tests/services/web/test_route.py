"""A route as it is described: text and no example unless it says otherwise; its query may be left out."""

from __future__ import annotations

from lucid.services.web.route import TEXT, Query, Route


def test_what_a_route_does_not_say_is_plain() -> None:
    route = Route("GET", "/x", "Look", "read", None, None, str, 200, {"n": Query({"type": "integer"})})
    assert (route.media, route.example) == (TEXT, None)
    assert not route.query["n"].required
