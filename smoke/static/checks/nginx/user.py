"""`nginx.user`: nginx may write where it keeps its temporary files."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.finding import Evidence, Finding
from smoke.static.checks.nginx.rules import USER
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.image import Image


def judge_user(image: Image) -> Iterator[Finding]:
    name = image.service.name
    if not image.uid:
        yield USER.passed("it starts as root, and its workers do not stay it", name)
        return
    steps = [each.text for stage in image.stages.stages for each in stage.instructions if each.keyword == "RUN"]
    held = [image.files.find(place) for place in ("/var/cache/nginx", "/var/cache")]
    doubts = [*image.files.every_doubt("/var/cache/nginx/client_temp")]
    mounted = image.launch is not None and any(
        f"{each.target.rstrip('/')}/".startswith("/var/cache") for each in image.launch.mounts
    )
    configured = image.files.find("/etc/nginx/nginx.conf")
    if (
        mounted
        or any("/var/cache" in step or "nginx.conf" in step for step in steps)
        or any(entry is not None and entry.line for entry in held)
        or any(each.cause not in (DoubtCause.BASE, DoubtCause.PACKAGES) for each in doubts)
        or (configured is not None and configured.line)
    ):
        yield USER.skip("where it keeps its temporary files is not known", name)
        return
    where = [Evidence(image.dockerfile, image.user_line, f"USER {image.user}")]
    message = f"nginx makes /var/cache/nginx/client_temp and /run/nginx.pid, and {image.user} may not write there"
    yield USER.fail(message, name, where)
