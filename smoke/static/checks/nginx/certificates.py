"""`nginx.files`: the certificates that nginx is told of are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from smoke.finding import Evidence, Finding, excerpt
from smoke.static.checks.nginx.rules import FILES
from smoke.static.compose.service import ComposeService
from smoke.static.model.image import Image
from smoke.static.regex import regex

_CERTIFICATE = regex(r"(?m)^\s*ssl_certificate(?:_key)?\s+([^\s;]+)\s*;")


def judge_certificates(service: ComposeService, image: Image | None, texts: Mapping[str, str]) -> Iterator[Finding]:
    """Certificates and keys that nothing brings."""
    targets = [each.target.rstrip("/") for each in service.launch.mounts]
    for path, text in texts.items():
        for match in _CERTIFICATE.finditer(text):
            place = match[1].strip("\"'")
            place = place if place.startswith("/") else f"/etc/nginx/{place}"
            covered = any(place == each or place.startswith(f"{each}/") for each in targets)
            own = place.startswith(("/etc/ssl/certs/", "/run/secrets/", "/etc/letsencrypt/")) or "$" in place
            held = image is not None and (image.files.find(place) is not None or bool(image.files.doubt(place)))
            if not covered and not own and not held and ":" not in place:
                line = 1 + text.count("\n", 0, match.start(1))
                message = f"nginx is to read {place}, which its image does not have and nothing mounts"
                yield FILES.fail(message, service.name, [Evidence(path, line, excerpt(match[0]))])
                return
