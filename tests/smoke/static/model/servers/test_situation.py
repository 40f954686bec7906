"""What a server finds as it starts, and what it says where something is lacking."""

from __future__ import annotations

import pytest

from smoke.static.model.servers.situation import Situation, missing_file, no_account
from tests.smoke.static.model.servers.situation import given


@pytest.mark.parametrize(
    ("file", "missing"), [("a.conf", True), ("b.conf", False), ("/etc/a", False), ("$A", False), (None, False)]
)
def test_a_file_that_a_server_reads(file: str | None, missing: bool) -> None:
    assert bool(missing_file("gunicorn", [file], given({"b.conf": ""}))) is missing


@pytest.mark.parametrize(
    ("user", "group", "says"),
    [("web", None, "the user web"), (None, "web", "the group web"), ("root", "root", ""), (None, None, "")],
)
def test_an_account_that_a_server_is_to_become(user: str | None, group: str | None, says: str) -> None:
    lacks = Situation({}, lambda path: None, lambda path: False, lacks_user="web".__eq__, lacks_group="web".__eq__)
    told = no_account("uwsgi", user, group, lacks)
    assert says in told and bool(says) == bool(told)
