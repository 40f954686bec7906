"""The branch that an entry script takes for the user who runs it."""

from __future__ import annotations

import pytest

from smoke.static.model.privilege import as_user

SCRIPT = """#!/bin/sh
set -e
if [ "$(id -u)" = "0" ]; then
  if [ -d /data ]; then
    chown app /data
  fi
  exec gosu app "$@"
else
  echo plain
fi
exec "$@"
"""


def test_root_takes_what_is_for_root_and_goes_no_further() -> None:
    text = as_user(SCRIPT, 0)
    assert text.endswith('exec gosu app "$@"\n')
    assert "echo plain" not in text


def test_others_take_the_other_branch() -> None:
    text = as_user(SCRIPT, 1000)
    assert "gosu" not in text
    assert text.endswith('echo plain\nexec "$@"\n')


@pytest.mark.parametrize(
    "test",
    ["[ $(id -u) -eq 0 ]", "[[ $EUID == 0 ]]", '[ "$(whoami)" = "root" ]', "[ `id -u` = 0 ]", '[ "$(id -un)" = root ]'],
)
def test_root_is_asked_for_in_many_ways(test: str) -> None:
    assert as_user(f'if {test}; then\n  exec gosu app "$@"\nfi\nexec "$@"\n', 0) == 'exec gosu app "$@"\n'


def test_not_root_is_the_other_way_round() -> None:
    text = 'if [ "$(id -u)" != "0" ]; then\n  exec "$@"\nfi\nexec gosu app "$@"\n'
    assert as_user(text, 0) == 'exec gosu app "$@"\n'
    assert as_user(text, 5) == 'exec "$@"\n'


@pytest.mark.parametrize(
    "text",
    [
        'if [ -f x ]; then\n  :\nfi\nif [ "$(id -u)" = 0 ]; then\n  exec a\nfi\n',
        'if [ "$(id -u)" = 0 ]; then\n  exec a\nelif [ -f x ]; then\n  exec b\nfi\n',
        'if [ "$(whoami)" = "0" ]; then\n  exec a\nfi\n',
        'if [ "$(id -u)" = 0 ]; then\n  exec a\n',
        "exec python main.py\n",
    ],
)
def test_what_is_not_sure_stays(text: str) -> None:
    assert as_user(text, 0) == text


def test_nothing_is_chosen_for_a_user_without_a_number() -> None:
    assert as_user(SCRIPT, None) == SCRIPT
