"""Users and groups that a step takes for granted, or makes although they are there."""

from __future__ import annotations

import pytest

from smoke.static.model.account_steps import account_refusal
from tests.smoke.static.model.staged import stage


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("chown app /srv", "there is no user app"),
        ("chown 4242 /srv", ""),
        ("chown root:crew /srv", "no group crew"),
        ("useradd nobody", "there is a user nobody already"),
        ("useradd -u 33 app", "www-data has the number 33"),
        ("useradd -o -u 33 app", ""),
        ("useradd -g crew app", "no group crew"),
        ("groupadd staff", "a group staff already"),
        ("groupadd -g 50 crew", "staff has the number 50"),
    ],
)
def test_on_a_slim_image(command: str, says: str) -> None:
    name, *rest = command.split()
    found = account_refusal(stage(), name, rest)
    assert says in found and bool(says) == bool(found)


def test_where_more_users_may_be_nothing_is_refused() -> None:
    made = stage()
    made.users_known = False
    assert account_refusal(made, "chown", ["app", "/srv"]) == ""
