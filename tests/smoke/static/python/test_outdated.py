"""Calls that newer versions refuse."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.outdated import outdated_by


@pytest.mark.parametrize(
    ("text", "name", "since"),
    [
        ("f(regex='a')", "pydantic.Field", "2.0"),
        ("f(pattern='a')", "pydantic.Field", ""),
        ("f(**more)", "pydantic.Field", ""),
        ("f()", "discord.Client", "2.0"),
        ("f(intents=i)", "discord.Client", ""),
        ("f(providing_args=['a'])", "django.dispatch.Signal", "4.0"),
    ],
)
def test_what_is_refused(text: str, name: str, since: str) -> None:
    node = ast.parse(text, mode="eval").body
    assert isinstance(node, ast.Call)
    assert "".join(each.since for each in outdated_by(node, name)) == since
