"""What operands and addresses of servers mean."""

from __future__ import annotations

import pytest

from smoke.static.model.servers.served import Served, address, aim, number


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        (":80", ("0.0.0.0", 80)),
        ("80", ("0.0.0.0", 80)),
        ("localhost", ("localhost", None)),
        ("[::1]:80", ("[::1]", 80)),
        ("unix:/run/x.sock", ("", None)),
        ("0.0.0.0:$PORT", ("", None)),
        ("0.0.0.0:http", ("0.0.0.0", None)),
    ],
)
def test_addresses(text: str, found: tuple[str, int | None]) -> None:
    assert address(text) == found


@pytest.mark.parametrize(
    ("text", "value"), [("80", 80), (None, 5), ("x", None), ("123456", None), ("\N{SUPERSCRIPT TWO}", None)]
)
def test_numbers(text: str | None, value: int | None) -> None:
    assert number(text, 5) == value


@pytest.mark.parametrize(
    ("text", "module", "application", "factory"),
    [
        ("a.b:app", "a.b", "app", False),
        ("a", "a", "usual", False),
        ("a:make()", "a", "make", True),
        ("a:x.app", "a", "x.app", False),
    ],
)
def test_operands(text: str, module: str, application: str, factory: bool) -> None:
    found = Served()
    aim(found, text, "usual")
    assert (found.module, found.application, found.factory) == (module, application, factory)


def test_a_path_is_no_module_and_a_variable_a_doubt() -> None:
    path, variable = Served(), Served()
    aim(path, "src/a.py:app", "usual")
    aim(variable, "$APP", "usual")
    assert "not a module" in path.trouble and variable.doubt and not variable.trouble
