"""What the common commands of a RUN leave behind, and where more may be than is known."""

from __future__ import annotations

import pytest

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.script import run
from smoke.static.model.stage import Stage
from tests.smoke.static.model.staged import followed, stage

OWN = "mkdir -p /own && cd /own && "
"""A directory that the Dockerfile makes: what is in it is known whole, unless a command says otherwise."""


def standing(made: Stage, *paths: str) -> list[bool | None]:
    """Of each path whether something is there; none when that is in doubt."""
    return [True if made.files.find(each) is not None else None if made.files.doubt(each) else False for each in paths]


@pytest.mark.parametrize(
    ("script", "there", "gone"),
    [
        ("mkdir -p /own/a/b", "/own/a", "/own/c"),
        ("mkdir -p /own/{a,b}", "/own/b", "/own/{a,b}"),
        ("mkdir /own && touch /own/f", "/own/f", "/own/g"),
        ("mkdir -p /own/a && mv /own/a /own/b", "/own/b", "/own/a"),
        ("mkdir -p /own/a && touch /own/a/f && rm -r /own/a", "/own", "/own/a/f"),
        (OWN + "touch f && cp f g", "/own/g", "/f"),
        (OWN + "touch f && mkdir d && cp f d", "/own/d/f", "/own/d/d"),
        (OWN + "mkdir -p d/e to && touch d/e/f && cp -r d to", "/own/to/d/e/f", "/own/to/e"),
        (OWN + "mkdir -p d/e && touch d/e/f && cp -r d new", "/own/new/e/f", "/own/new/d"),
        (OWN + "mkdir -p d/e to && touch d/e/f && cp -r d/. to", "/own/to/e/f", "/own/to/d"),
        (OWN + "mkdir -p d/e to && touch d/f && cd d && cp -a . ../to/", "/own/to/f", "/own/to/d"),
        (OWN + "mkdir -p d/e to && touch d/f && cp -rT d to", "/own/to/f", "/own/to/d"),
        (OWN + "mkdir to && touch f g && cp -t to f g", "/own/to/g", "/own/g/f"),
        (OWN + "mkdir to && touch f && cp --target-directory=to f", "/own/to/f", "/own/f/f"),
        (OWN + "touch f && ln -s f g", "/own/g", "/f"),
        (OWN + "mkdir d && touch f && ln -s /own/f d", "/own/d/f", "/f"),
        ("python -m compileall /own", "/", "/own"),
    ],
)
def test_what_is_there_and_what_surely_is_not(script: str, there: str, gone: str) -> None:
    """Both are told to people as facts: a file that is missed stops a container that would start."""
    made = stage()
    run(made, script, 7, {})
    assert standing(made, there, gone) == [True, False]


@pytest.mark.parametrize(
    ("script", "doubtful"),
    [
        (OWN + "frobnicate", "/own/x"),
        ("mkdir /own && frobnicate --to=/own", "/own/x"),
        (OWN + "cp *.txt d", "/own/d"),
        (OWN + "mkdir d && cp -rt d /etc/a", "/own/d/a"),
        ("mkdir /own && python /opt/setup.py", "/opt/x"),
        ("mkdir /own && ln a b c", "/own/x"),
    ],
)
def test_where_more_may_be_is_in_doubt(script: str, doubtful: str) -> None:
    made = stage()
    run(made, script, 7, {})
    assert standing(made, doubtful) == [None]


def test_who_is_not_root_can_have_written_only_where_it_may() -> None:
    made = stage()
    made.user = "1000"
    run(made, "mkdir /tmp/d && cd /tmp/d && frobnicate", 7, {})
    assert not any(each.cause is DoubtCause.COMMAND for each in made.files.every_doubt("/usr/local/bin/x"))
    assert any(each.cause is DoubtCause.COMMAND for each in made.files.every_doubt("/tmp/d/x"))


@pytest.mark.parametrize(
    ("script", "user", "mode"),
    [
        ("", 0, 0o644),
        ("chown 7 /own/f", 7, 0o644),
        ("chown -R nobody:nogroup /own", 65534, 0o644),
        ("chown nobody /own", 0, 0o644),
        ("chown :7 /own/f", 0, 0o644),
        ("chown ghost /own/f", None, 0o644),
        ("chmod 600 /own/f", 0, 0o600),
        ("chmod -R 750 /own", 0, 0o750),
        ("chmod -Rf 750 /own", 0, 0o750),
        ("chmod --recursive 750 /own", 0, 0o750),
        ("chmod -v 700 /own", 0, 0o644),
        ("chmod -f 700 /own", 0, 0o644),
        ("chmod u+x /own/f", 0, None),
    ],
)
def test_owners_and_modes(script: str, user: int | None, mode: int | None) -> None:
    """None: it is not known, so that nothing is said of it."""
    made = followed(f"mkdir /own && touch /own/f && {script or 'true'}")
    entry = made.files.find("/own/f")
    assert entry is not None and (entry.user, entry.mode) == (user, mode)


def test_what_a_user_makes_is_its_own() -> None:
    made = stage()
    made.user = "1000"
    run(made, "mkdir -m 700 /tmp/d && touch /tmp/d/f", 7, {})
    assert {(each.user, each.mode) for each in made.files.entries.values() if each.line == 7 and each.user} == {
        (1000, 0o700),
        (1000, 0o644),
    }
