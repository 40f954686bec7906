"""What an entry script comes to: what it starts, what it must do before, what it demands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.static.model.entries import follow_command, follow_script

GIVEN = ("python", "main.py")
SCRIPTS = [
    ('#!/bin/sh\nexec "$@"\n', GIVEN, ""),
    ('#!/bin/sh\nset -e\nmigrate up\nexec "$@"\n', GIVEN, ""),
    ("#!/bin/sh\nexec python app.py $1\n", ("python", "app.py", "python"), ""),
    ("#!/bin/sh\nexec python ${APP:-app.py}\n", ("python", "app.py"), ""),
    ('#!/bin/sh\nif [ -n "$DEBUG" ]; then\n  exec sh\nfi\nexec "$@"\n', (), "decides"),
    ('#!/bin/sh\nif [ -n "$DEBUG" ]; then\n  echo on\nfi\nexec "$@"\n', GIVEN, ""),
    ('#!/bin/sh\nwait() {\n  exit 1\n}\nexec "$@"\n', GIVEN, ""),
    ("#!/bin/sh\npython app.py | tee log\n", (), "decides"),
    ("#!/bin/sh\nif true; then\n", (), "decides"),
    ("", (), "decides"),
]


@pytest.mark.parametrize(("text", "words", "doubt"), SCRIPTS)
def test_what_a_script_starts(text: str, words: tuple[str, ...], doubt: str) -> None:
    found = follow_script(text, GIVEN, {})
    assert doubt in found.doubt and bool(doubt) == bool(found.doubt)
    assert found.doubt or found.words == words


def test_a_script_that_ends_without_starting_anything() -> None:
    assert "runs nothing" in follow_script("#!/bin/sh\necho ready\n", GIVEN, {}).trouble
    assert "is given nothing" in follow_script('#!/bin/sh\nexec "$@"\n', (), {}).trouble


@pytest.mark.parametrize(
    "last", ["python /srv/init_db.py", "flask db upgrade", "aerich upgrade", "./wait-for-it.sh db:1"]
)
def test_what_ends_soon_is_not_what_a_server_is_given_for(last: str) -> None:
    server = ("gunicorn", "shop:app")
    assert "runs nothing of what it is given" in follow_script(f"#!/bin/sh\n{last}\n", server, {}).trouble
    assert not follow_script(f"#!/bin/sh\n{last} && exec $@\n", server, {}).trouble
    assert not follow_script("#!/bin/sh\npython setup_and_serve.py\n", ("serve",), {}).trouble


def test_what_has_to_succeed_before() -> None:
    text = '#!/bin/sh\nset -e\nmigrate up\nuntil pg_isready -h db; do\n  sleep 1\ndone\nexec "$@"\n'
    assert follow_script(text, GIVEN, {}).before == [("migrate", "up"), ("pg_isready", "-h", "db")]
    without = follow_script(text.replace("set -e\n", ""), GIVEN, {}).before
    assert ("migrate", "up") not in without, "without set -e it may fail"


def test_what_it_demands_sets_and_changes() -> None:
    text = '#!/bin/sh\n: "${DSN:?}"\nexport MODE=prod\ncd /srv\nexec "$@"\n'
    found = follow_script(text, GIVEN, {})
    assert found.demanded == ("DSN",) and found.environment["MODE"] == "prod" and found.directory == "/srv"


@pytest.mark.parametrize(
    ("text", "words", "doubt", "trouble"),
    [
        ("python app.py", ("python", "app.py"), "", ""),
        ("cd /srv && exec python app.py", ("python", "app.py"), "", ""),
        ("A=1 python $B", ("python", "b"), "", ""),
        ("python app.py &", (), "", "into the background"),
        ("python app.py || sleep 1", (), "decides", ""),
        ("python $(cat name)", (), "decides", ""),
        ("echo 'x", (), "decides", ""),
    ],
)
def test_what_a_shell_command_starts(text: str, words: tuple[str, ...], doubt: str, trouble: str) -> None:
    found = follow_command(text, {"B": "b"})
    assert doubt in found.doubt and bool(doubt) == bool(found.doubt) and trouble in found.trouble
    assert found.doubt or found.trouble or found.words == words


LINES = st.sampled_from(
    ["if x; then", "fi", "exec a", "for i in 1; do", "done", "f() {", "}", "case $x in", "esac", "'", "$@"]
)


@given(st.lists(LINES, max_size=8).map("\n".join))
def test_any_script_comes_to_words_a_doubt_or_a_trouble(text: str) -> None:
    found = follow_script(f"#!/bin/sh\n{text}\n", GIVEN, {})
    assert found.words or found.doubt or found.trouble
