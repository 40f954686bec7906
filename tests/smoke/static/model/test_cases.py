"""The branch of an entry script that is taken for what the container is given."""

from __future__ import annotations

import pytest

from smoke.static.model.cases import choose

SCRIPT = """#!/bin/sh
set -e
case "$1" in
  web|serve) exec gunicorn app ;;
  migrate)
    python manage.py migrate
    ;;
  --*) exec python main.py "$@" ;;
  *) echo "usage" >&2; exit 1 ;;
esac
exec python main.py
"""


@pytest.mark.parametrize(
    ("word", "ends"),
    [("serve", "exec gunicorn app\n"), ("migrate", "exec python main.py\n"), ("--debug", 'exec python main.py "$@"\n')],
)
def test_the_branch_stands_for_the_choice(word: str, ends: str) -> None:
    found = choose(SCRIPT, (word,))
    assert found.trouble == ""
    assert found.text.endswith(ends)
    assert "case" not in found.text


def test_a_branch_that_fails_is_a_trouble() -> None:
    assert "given: api" in choose(SCRIPT, ("api",)).trouble
    assert "nothing being given" in choose(SCRIPT, ()).trouble


def test_a_default_counts_as_given() -> None:
    text = 'case "${1:-web}" in\n  web) exec python main.py ;;\n  *) exit 2 ;;\nesac\n'
    assert choose(text, ()).text == "exec python main.py\n"


@pytest.mark.parametrize(
    "text",
    [
        "exec python main.py\n",
        'if true; then\n  shift\nfi\ncase "$1" in\n  *) exit 1 ;;\nesac\n',
        'case "$1" in\n  "$NAME") exit 1 ;;\n  *) exit 1 ;;\nesac\n',
        'case "$2" in\n  *) exit 1 ;;\nesac\n',
        'case "$1" in\n  *) if true; then exit 1; fi ;;\nesac\n',
    ],
)
def test_what_is_not_sure_is_left_alone(text: str) -> None:
    found = choose(text, ("web",))
    assert (found.text, found.trouble) == (text, "")
