"""Sections of configuration files that a module takes as it is loaded."""

from __future__ import annotations

import pytest

from smoke.static.python.configparser_sections import sectioned

TOP = "import configparser\nconfig = configparser.ConfigParser()\n"


@pytest.mark.parametrize(
    "code",
    [
        "config.read('a.ini')\nNAME = config['shop']['name']",
        "config.read('a.ini')\nNAME = config.get('shop', 'name')",
        "FILE = 'a.ini'\nconfig.read(FILE)\nCOUNT = config.getint('shop', 'count')",
    ],
)
def test_what_is_taken(code: str) -> None:
    [found, *_] = sectioned((TOP + code).encode())
    assert (found.place.text, found.section) == ("a.ini", "shop")


@pytest.mark.parametrize(
    "code",
    [
        "config.read('a.ini')",
        "NAME = config['shop']",
        "config.read('a.ini')\nNAME = config.get('shop', 'name', fallback='x')",
        "config.read('a.ini')\nNAME = config['DEFAULT']['name']",
        "config.read(name())\nNAME = config['shop']",
        "config.read('a.ini')\nconfig.read('b.ini')\nNAME = config['shop']",
        "config.read_dict(DEFAULTS)\nconfig.read('a.ini')\nNAME = config['shop']",
        "config.read('a.ini')\nif 'shop' in config:\n    NAME = config['shop']",
        "config.read('a.ini')\ndef name():\n    return config['shop']",
        "config.read('a.ini')\nconfig['shop'] = {}\n",
    ],
)
def test_what_may_be_absent(code: str) -> None:
    assert list(sectioned((TOP + code).encode())) == []


def test_a_text_that_cannot_be_read() -> None:
    assert list(sectioned(b"import configparser\ndef (\n")) == []
