"""Commands of a build that surely fail where they stand."""

from __future__ import annotations

import pytest

from smoke.static.model.stage import Stage
from smoke.static.model.steps import refusal
from tests.smoke.static.model.staged import followed, stage


def refused(command: str, made: Stage | None = None) -> str:
    return refusal(made or stage(), command.split(), 1)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("curl x", "curl: command not found"),
        ("./run", "./run: no such file"),
        ("$TOOL x", ""),
        ("source env.sh", "dash here, which has no source"),
        ("set -o pipefail", "no such option"),
        ("set -e", ""),
        ("[[ -f x ]]", "no [["),
        ("cd /nowhere", "there is no /nowhere"),
        ("cd /usr/share/x", ""),
        ("cd -", ""),
        ("sh setup.sh", "there is no /setup.sh"),
        ("python setup.py install", "there is no /setup.py"),
        ("chmod +x /run.sh", "there is no /run.sh"),
        ("chmod -f +x /run.sh", ""),
        ("cp a b", "there is no /a"),
        ("cp /dev/null b", ""),
        ("mv *.txt /x", ""),
        ("rm a", "there is no /a"),
        ("rm -rf a", ""),
        ("cat a", "there is no /a"),
        ("tar xzf a.tgz", "there is no /a.tgz"),
        ("tar czf a.tgz /etc", ""),
        ("sed -i s/a/b/ a.conf", "there is no /a.conf"),
        ("sed -i -e s/a/b/ a.conf", "there is no /a.conf"),
        ("mkdir /tmp", "is there already"),
        ("mkdir -p /tmp", ""),
        ("mkdir /srv/x", ""),
        ("conda activate x", ""),
        ("python -c import(app)", ""),
    ],
)
def test_on_a_slim_image(command: str, says: str) -> None:
    found = refused(command)
    assert says in found and (bool(says) == bool(found) or command.startswith("conda"))


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("apt-get update", "needs root"),
        ("apt-get --version", ""),
        ("useradd app", "needs root"),
        ("mkdir /opt/app", "/opt belongs to root"),
        ("mkdir /tmp/x", ""),
        ("touch /srv/x", ""),
    ],
)
def test_as_a_user_who_is_not_root(command: str, says: str) -> None:
    made = stage()
    made.user = "4242"
    found = refused(command, made)
    assert says in found and (bool(says) == bool(found) or not says)


def test_what_was_made_before_is_there() -> None:
    made = followed("useradd app && mkdir -p /data && touch /data/a && groupadd crew")
    for command in ("chown app:crew /data", "cp /data/a /b", "cat /data/a", "cd /data"):
        assert refused(command, made) == ""
    assert "there already" in refused("mkdir /data", made)


def test_a_file_without_the_bit_is_not_executed() -> None:
    made = followed("touch /run.sh")
    assert "not executable (mode 644)" in refused("/run.sh", made)
    assert refused("/run.sh", followed("touch /run.sh && chmod 755 /run.sh")) == ""
