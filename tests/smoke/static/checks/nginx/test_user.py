"""nginx makes directories and a pid file as it starts: its user may, or may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.static.checks.nginx.proxied import PROXY, messages


def test_its_own_user_may_not_write(tmp_path: Path) -> None:
    assert any("may not write" in each for each in messages(tmp_path, "server {}", proxy=PROXY + "USER nginx\n"))


@pytest.mark.parametrize(
    "proxy",
    [
        PROXY,
        PROXY + "RUN chown -R nginx /var/cache/nginx\nUSER nginx\n",
        PROXY + "RUN sed -i 's,/run/nginx.pid,/tmp/x,' /etc/nginx/nginx.conf\nUSER nginx\n",
        PROXY + "COPY site.conf /etc/nginx/nginx.conf\nUSER nginx\n",
        PROXY.replace("nginx:1.27-alpine", "nginxinc/nginx-unprivileged:1.27") + "USER 101\n",
    ],
)
def test_what_may_be_writable_is_left_alone(tmp_path: Path, proxy: str) -> None:
    assert messages(tmp_path, "server {}", proxy=proxy) == []
