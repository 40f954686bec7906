"""The users that base images have of themselves."""

from __future__ import annotations

import re

from smoke.manifest import Base

_USERS = {
    "debian": {
        **{"root": 0, "daemon": 1, "bin": 2, "sys": 3, "sync": 4, "games": 5, "man": 6, "lp": 7, "mail": 8, "news": 9},
        **{"uucp": 10, "proxy": 13, "www-data": 33, "backup": 34, "list": 38, "irc": 39, "_apt": 42, "nobody": 65534},
    },
    "alpine": {
        **{"root": 0, "bin": 1, "daemon": 2, "lp": 4, "sync": 5, "shutdown": 6, "halt": 7, "mail": 8, "news": 9},
        **{"uucp": 10, "cron": 16, "ftp": 21, "sshd": 22, "games": 35, "ntp": 123, "guest": 405, "nobody": 65534},
    },
}


def users_of(base: Base | None) -> dict[str, int] | None:
    """All users of a base by name; none when they are not known."""
    if base is None or base.system not in _USERS:
        return None
    found = dict(_USERS[base.system])
    if re.search(r"(?:^|/)node(?::|$)", base.image):
        found["node"] = 1000
    if re.search(r"(?:^|/)nginx(?::|$)", base.image):
        found["nginx"] = 101
    if "ubuntu" in base.image:
        found["ubuntu"] = 1000
    if "micromamba" in base.image:
        found["mambauser"] = 57439
    if "apache/airflow" in base.image:
        found["airflow"] = 50000
    if "-notebook" in base.image:
        found["jovyan"] = 1000
    return found
