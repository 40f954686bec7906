"""The pages for people: each one document of its markup, the shared style and its script, which alone may run in it.

The browser asks the service for JSON and puts what comes into the page as text, never as markup.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import NamedTuple

from quart import Response

STYLE, SCRIPT, TITLE = "/* STYLE */", "/* SCRIPT */", "SERVICE"
"""What stands in a page for its style, its script and the service's name."""


class HtmlPage(NamedTuple):
    """A page, and the Content-Security-Policy that it is shown under."""

    document: str
    policy: str

    def response(self) -> Response:
        """The page as an answer."""
        headers = {"Content-Security-Policy": self.policy, "Cache-Control": "no-cache"}
        return Response(self.document, headers=headers, content_type="text/html; charset=utf-8")


def load_page(name: str, service: str = "") -> HtmlPage:
    """The page of that name, about a service."""
    style, script = _read("style.css"), _read(f"{name}.js")
    document = _read(f"{name}.html").replace(TITLE, service).replace(STYLE, style).replace(SCRIPT, script)
    policy = (
        f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)}; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return HtmlPage(document, policy)


def _read(file: str) -> str:
    return resources.files(__package__).joinpath(file).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """How a policy names the text of a script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
