"""The frame of a report: one HTML document that needs nothing but itself, and lets nothing else in."""

from __future__ import annotations

import base64
import hashlib

from harness.report.script import SCRIPT
from harness.report.style import stylesheet
from harness.report.text import escape


def document(title: str, content: str, more_css: str = "") -> str:
    """The document around `content`, which is HTML; `title` is any text. It parses as HTML and as XML, and its policy
    forbids the browser to load or run anything else."""
    script = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{script}'"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/><link rel="icon" href="data:,"/>'
        f"<title>{escape(title)}</title><style>{stylesheet()}{more_css}</style></head>\n<body><main>\n{content}"
        f'\n</main><div id="tip" aria-hidden="true" hidden="hidden"></div><script>{SCRIPT}</script></body></html>\n'
    )


def heading(brand: str, title: str, about: str) -> str:
    """The card on top of a page that has no verdict: what it is, of what, and what was done; `about` is HTML."""
    return (
        '<header class="card hero" style="--verdict:var(--pass)"><div class="top"><div class="name">'
        f'<p class="brand">{brand}</p><h1>{escape(title)}</h1><p class="about">{about}</p>'
        "</div></div></header>"
    )
