"""The command line of a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.static.model.servers.options import foreign_to, read_line, strange

PLAIN = frozenset({"--reload", "-q"})


@pytest.mark.parametrize(
    ("text", "values", "operands"),
    [
        ("a:b --port 80", {"--port": ["80"]}, ["a:b"]),
        ("--port=80 a:b", {"--port": ["80"]}, ["a:b"]),
        ("--reload a:b", {"--reload": [""]}, ["a:b"]),
        ("-p80 -q a", {"-p": ["80"], "-q": [""]}, ["a"]),
        ("-p 80 -p 81", {"-p": ["80", "81"]}, []),
        ("- a", {}, ["-", "a"]),
        ("--port", {"--port": [""]}, []),
    ],
)
def test_options_and_operands(text: str, values: dict[str, list[str]], operands: list[str]) -> None:
    line = read_line(text.split(), PLAIN)
    assert (line.values, line.operands) == (values, operands)


def test_the_last_of_an_option_counts() -> None:
    line = read_line(["-p", "80", "-p", "81"], PLAIN)
    assert line.last("--port", "-p") == "81" and line.last("--host") is None


@given(st.lists(st.text(max_size=8)))
def test_every_word_is_read_once(words: list[str]) -> None:
    line = read_line(words, PLAIN)
    assert len(line.operands) + sum(map(len, line.values.values())) <= len(words)


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("--hosts", True),
        ("--hst", True),
        ("--bost", True),
        ("--host", False),
        ("--workers", True),
        ("--other", False),
        ("-x", False),
    ],
)
def test_an_option_that_is_surely_none(name: str, odd: bool) -> None:
    """One letter off its own, or another server's; what is only unknown may be of a newer version."""
    assert bool(strange([name], frozenset({"--host", "-h"}), frozenset({"--workers"}))) is odd


@pytest.mark.parametrize(
    ("server", "option"),
    [("hypercorn", "--host"), ("daphne", "--workers"), ("flask", "-b"), ("streamlit", "--port"), ("granian", "--bind")],
)
def test_options_of_others_are_told(server: str, option: str) -> None:
    assert f"{server} has no option {option}" in foreign_to(server, [option])
    assert not foreign_to(server, ["--log-config", "-c"])
