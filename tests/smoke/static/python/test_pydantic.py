"""Variables that a class of settings demands."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.pydantic import demanded


def names(body: str) -> list[str]:
    parsed = ast.parse("class Settings(BaseSettings):\n" + "".join(f"    {line}\n" for line in body.split("\n")))
    [node] = parsed.body
    assert isinstance(node, ast.ClassDef)
    return [each.name for each in demanded(node)]


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("url: str", ["URL"]),
        ("url: str = 'a'\nkey: SecretStr", ["KEY"]),
        ("url: str = Field(...)\nkey: str = Field(min_length=1)", ["URL", "KEY"]),
        ("url: str = Field('a')\nkey: str = Field(default='a')\nother: str = Field(alias='OTHER')", []),
        ("url: str | None\nitems: list[str]", []),
        ("model_config = SettingsConfigDict(env_prefix='app_')\nurl: str", ["APP_URL"]),
        ("url: str\nclass Config:\n    env_prefix = 'my_'", ["MY_URL"]),
        ("url: str\n@field_validator('url', mode='before')\ndef fill(cls, value): ...", []),
        ("url: str\nmodel_config = SettingsConfigDict(alias_generator=str.upper)", []),
        ("url: str\n@classmethod\ndef settings_customise_sources(cls): ...", []),
    ],
)
def test_plain_fields_without_a_default_are_demanded(body: str, wanted: list[str]) -> None:
    assert names(body) == wanted


@pytest.mark.parametrize(
    ("told", "file"),
    [("env_file='.env'", ".env"), ("env_file=PLACE", "?"), ("secrets_dir='/run/secrets'", "/run/secrets")],
)
def test_a_file_may_give_them_instead(told: str, file: str) -> None:
    parsed = ast.parse(f"class S(BaseSettings):\n    model_config = SettingsConfigDict({told})\n    url: str\n")
    [node] = parsed.body
    assert isinstance(node, ast.ClassDef)
    assert [each.file for each in demanded(node)] == [file]
