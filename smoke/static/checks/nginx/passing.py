"""`nginx.passing`: what nginx passes requests to listens at the port that it is asked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from smoke.finding import Evidence, Finding, excerpt
from smoke.static.checks.nginx.ports import listening
from smoke.static.checks.nginx.rules import PASSING
from smoke.static.compose.project import ComposeProject
from smoke.static.compose.service import ComposeService
from smoke.static.model.image import Image
from smoke.static.regex import regex

_PASSED = regex(r"(?:(?:proxy|grpc|uwsgi)_pass\s+(?:\w+://)?|^\s*server\s+)([A-Za-z][\w-]*|127\.0\.0\.1):(\d{2,5})\b")
_ITSELF = ("localhost", "127.0.0.1")


def judge_passing(
    project: ComposeProject,
    service: ComposeService,
    texts: Mapping[str, str],
    targets: Mapping[str, str],
    images: Mapping[tuple[str, str], Image],
) -> Iterator[Finding]:
    """Ports of the services that nginx passes to: those that a command surely listens at."""
    own = listening(texts, targets)
    served = {each.name: _port(each, images) for each in project.services.values()}
    for path, text in texts.items():
        for number, line in enumerate(text.split("\n"), 1):
            for host, asked in _PASSED.findall(line):
                message = _wrong(host, int(asked), own, served, service.name)
                if message:
                    yield PASSING.fail(message, service.name, [Evidence(path, number, excerpt(line))])


def _wrong(host: str, asked: int, own: set[int], served: Mapping[str, int | None], name: str) -> str:
    """Why nobody listens there; empty when nothing speaks against it."""
    if host in _ITSELF:
        other = next((each for each, port in served.items() if port == asked and each != name), "")
        return (
            f"nginx passes to {host}:{asked}: that is its own container, and {other} is another"
            if other and own and (asked not in own)
            else ""
        )
    port = served.get(host)
    return f"nginx passes to {host}:{asked}, and {host} listens at {port}" if port and port != asked else ""


def _port(service: ComposeService, images: Mapping[tuple[str, str], Image]) -> int | None:
    """The one port that a service surely listens at, or the manifest's; none where its image may be told otherwise."""
    image = images.get((service.file, service.name))
    if image is not None and image.service.port is not None:
        return image.service.port
    if image is None or image.broken or image.start.doubt or not image.start.server:
        return None
    plain = all("$" not in word for word in image.start.words) and not any("PORT" in key for key in image.environment)
    told = any("bind" in key.lower() or "cmd_args" in key.lower() for key in image.environment)
    return image.start.port if plain and not told else None
