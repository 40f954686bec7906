"""nginx: the certificates that it is told of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import critical, judge_files

MOUNT = "'./a.conf:/etc/nginx/conf.d/default.conf'"
SECURE = "server {\n listen 80 ssl;\n ssl_certificate /certs/x.crt;\n}\n"


@pytest.mark.parametrize(
    ("config", "mounts", "says"),
    [
        (SECURE, MOUNT, "/certs/x.crt"),
        (SECURE, f"{MOUNT}, './certs:/certs'", ""),
        (SECURE.replace("/certs/", "/etc/letsencrypt/"), MOUNT, ""),
        (SECURE.replace("/certs/", "$certs/"), MOUNT, ""),
    ],
)
def test_a_public_image(tmp_path: Path, config: str, mounts: str, says: str) -> None:
    compose = f"services:\n  proxy: {{image: nginx, ports: ['80:80'], volumes: [{mounts}]}}\n"
    found = critical(judge_files(tmp_path, {"compose.yaml": compose, "a.conf": config, "certs/x.crt": ""}))
    messages = [each.message for each in found if each.check in ("nginx.ports", "nginx.files")]
    assert [says in each for each in messages] == ([True] if says else [])
