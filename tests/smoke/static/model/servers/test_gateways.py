"""Servers of ASGI and WSGI apps: their options, configuration and default ports."""

from __future__ import annotations

from typing import Any

import pytest

from smoke.static.model.servers.gateways import daphne, granian, hypercorn, uvicorn, waitress
from smoke.static.model.servers.served import address
from tests.smoke.static.model.servers.situation import Reader, came_to, given

APP = {"module": "shop.web", "application": "app"}
LOCAL = {"host": "127.0.0.1", "port": 8000}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        (":80", ("0.0.0.0", 80)),
        ("80", ("0.0.0.0", 80)),
        ("[::]:80", ("[::]", 80)),
        ("shop", ("shop", None)),
        ("unix:/run/x", ("", None)),
        ("0.0.0.0:$PORT", ("", None)),
        ("h:99999999", ("h", None)),
    ],
)
def test_an_address_has_a_host_and_a_port(text: str, wanted: tuple[str, int | None]) -> None:
    assert address(text) == wanted


@pytest.mark.parametrize(
    ("reader", "words", "wanted"),
    [
        (uvicorn, "shop.web:app", {**APP, **LOCAL}),
        (uvicorn, "shop.web:app --host 0.0.0.0 --port 80", {**APP, "host": "0.0.0.0", "port": 80}),
        (
            uvicorn,
            "--factory shop.web:make --app-dir src",
            {**LOCAL, "module": "shop.web", "application": "make", "factory": True, "directory": "src"},
        ),
        (uvicorn, "shop.web:app --uds /run/x", APP),
        (uvicorn, "", {**LOCAL, "trouble": "uvicorn is not told which app to serve"}),
        (
            uvicorn,
            "shop.py",
            {
                **LOCAL,
                "module": "shop",
                "trouble": "uvicorn is given 'shop.py', which lacks the name of the app: MODULE:APP",
            },
        ),
        (
            uvicorn,
            "shop/web:app",
            {
                **LOCAL,
                "trouble": "'shop/web:app' is not a module: its name has dots where its path has slashes, and no .py",
            },
        ),
        (hypercorn, "shop.web:app", {**APP, **LOCAL}),
        (hypercorn, "asgi:shop.web:app -b 0.0.0.0:80", {**APP, "host": "0.0.0.0", "port": 80}),
        (hypercorn, "", {**LOCAL, "trouble": "hypercorn is not told which app to serve"}),
        (hypercorn, "shop.web -c python:conf", APP),
        (
            hypercorn,
            "shop.web -c none.toml",
            {**APP, "trouble": "hypercorn's configuration none.toml is not in the image"},
        ),
        (
            daphne,
            "shop.web:application -p 80 -b ::",
            {"module": "shop.web", "application": "application", "host": "::", "port": 80},
        ),
        (daphne, "-u /run/x shop.web:app", APP),
        (daphne, "", {**LOCAL, "trouble": "daphne is not told which app to serve"}),
        (granian, "shop.web:app --interface asgi", {**APP, **LOCAL}),
        (granian, "", {**LOCAL, "trouble": "granian is not told which app to serve"}),
        (waitress, "shop.web:app", {**APP, "host": "0.0.0.0", "port": 8080}),
        (
            waitress,
            "--listen=127.0.0.1:81 --call shop.web:app",
            {**APP, "host": "127.0.0.1", "port": 81, "factory": True},
        ),
        (waitress, "--unix-socket=/run/x shop.web:app", APP),
        (
            waitress,
            "--port=82 shop.web",
            {
                "host": "0.0.0.0",
                "port": 82,
                "trouble": "waitress-serve is given 'shop.web', which lacks the name of the app: MODULE:APP",
            },
        ),
        (waitress, "", {"host": "0.0.0.0", "port": 8080, "trouble": "waitress-serve is not told which app to serve"}),
    ],
)
def test_a_command_line_comes_to_a_module_and_an_address(reader: Reader, words: str, wanted: dict[str, Any]) -> None:
    assert came_to(reader, words) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('bind = "0.0.0.0:80"', {"host": "0.0.0.0", "port": 80}),
        ('bind = ["0.0.0.0:81", "[::]:81"]', {"host": "0.0.0.0", "port": 81}),
        ("workers = 2", LOCAL),
        ("bind =", {"trouble": "hypercorn's configuration h.toml is not TOML"}),
    ],
)
def test_hypercorn_s_configuration_is_read(text: str, wanted: dict[str, Any]) -> None:
    assert came_to(hypercorn, "shop.web:app -c h.toml", given({"h.toml": text})) == {**APP, **wanted}


def test_variables_stand_in_for_options_and_extras_are_needed() -> None:
    named = given(UVICORN_APP="shop.web:app", UVICORN_PORT="83", GRANIAN_PORT="84")
    assert came_to(uvicorn, "", named) == {**APP, "host": "127.0.0.1", "port": 83}
    assert came_to(granian, "shop.web:app", named) == {**APP, "host": "127.0.0.1", "port": 84}
    assert uvicorn(["a:b", "--loop", "uvloop", "--http", "httptools", "--ws", "wsproto"], given()).needs == [
        *("uvicorn", "uvloop", "httptools", "wsproto")
    ]
    assert hypercorn(["a:b", "-k", "trio"], given()).needs == ["hypercorn", "trio"]
