"""Users and groups that a RUN makes: a USER or chown of another one stops the build."""

from __future__ import annotations

import pytest

from tests.smoke.static.model.staged import followed, stage


@pytest.mark.parametrize(
    ("script", "name", "number", "home"),
    [
        ("useradd app", "app", 1000, "/home/app"),
        ("useradd -u 4242 app", "app", 4242, "/home/app"),
        ("useradd --uid 4242 --home-dir /srv app", "app", 4242, "/srv"),
        ("useradd -r app", "app", 999, "/home/app"),
        ("adduser --system --disabled-password app", "app", 100, "/home/app"),
        ("adduser --disabled-password --gecos '' app", "app", 1000, "/home/app"),
        ("useradd one && useradd app", "app", 1001, "/home/app"),
    ],
)
def test_a_user_gets_a_number_and_a_home(script: str, name: str, number: int, home: str) -> None:
    made = followed(script)
    assert (made.numbers[name], made.homes[name]) == (number, home)


@pytest.mark.parametrize(
    ("script", "there"),
    [
        ("useradd app", False),
        ("useradd -m app", True),
        ("useradd --create-home app", True),
        ("adduser --disabled-password app", True),
    ],
)
def test_a_home_is_made_where_the_tool_makes_one(script: str, there: bool) -> None:
    entry = followed(script).files.find("/home/app")
    assert (entry is not None) is there
    assert entry is None or entry.user == 1000


def test_groups_come_and_go() -> None:
    assert "crew" in followed("groupadd -g 7000 crew").groups
    assert "crew" not in followed("groupadd crew && groupdel crew").groups
    assert "app" not in followed("useradd app && userdel app").numbers


@pytest.mark.parametrize("script", ["useradd $NAME", "groupadd $NAME", "usermod -l other nobody", "userdel $NAME"])
def test_what_cannot_be_followed_leaves_all_open(script: str) -> None:
    assert stage().users_known and not followed(script).users_known
