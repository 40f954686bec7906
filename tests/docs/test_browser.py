"""The documentation site in a real browser, where there is one: built strictly, on a phone, in the dark."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from docs.site import TREE
from tests.browser import Browser

PHONE, DESK = 390, 1280
"""Pixels."""
PAGES = ("index.html", "architecture.html", "services.html", "protocol/index.html", "reference/cli.html")
"""Those with the widest tables and the longest lines of code among them."""
DARK, LIGHT = 0, 1
"""What a reader's system prefers, as the browser numbers it."""
FRAME = """<!DOCTYPE html><title>waiting</title><iframe width="{width}" height="800" src="/{page}"></iframe><script>
const frame = document.querySelector("iframe");
frame.onload = () => setTimeout(() => {{
  const page = frame.contentDocument, paint = frame.contentWindow.getComputedStyle(page.body);
  document.title = [page.documentElement.scrollWidth, page.documentElement.clientWidth, paint.backgroundColor,
    paint.color, page.querySelector("h1").innerText].join("|");
}}, 1000);
</script>"""


class _Handler(SimpleHTTPRequestHandler):
    """The site, and a page with one of its pages in a frame of some width: /frame/WIDTH/PAGE."""

    def do_GET(self) -> None:
        """Answer."""
        found = re.fullmatch(r"/frame/(\d+)/(.+)", self.path)
        if found is None:
            super().do_GET()
            return
        data = FRAME.format(width=found[1], page=found[2]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The site, built strictly and served on loopback."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(TREE / "mkdocs.yml", folder)
    subprocess.run([sys.executable, "-m", "docs.site", str(folder / "site" / "source")], cwd=TREE, check=True)
    zensical = Path(sys.executable).with_name("zensical")
    subprocess.run([zensical, "build", "--strict"], cwd=folder, check=True, timeout=600)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder / "site" / "html")))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def looked_at(browser: Browser, url: str, folder: Path, prefers: int) -> tuple[int, int, int, int, str]:
    """Of a page in a frame: the width of what it shows and that of its window, how light ground and text are, its
    heading."""
    options = (f"--blink-settings=preferredColorScheme={prefers}", f"--window-size={DESK + 100},900")
    page = browser.shown(url, folder, 10_000, *options)
    found = re.search(r"<title>(\d+)\|(\d+)\|([^|]*)\|([^|]*)\|([^<]*)</title>", page)
    assert found is not None, page[:500]
    return int(found[1]), int(found[2]), _light(found[3]), _light(found[4]), found[5]


def _light(color: str) -> int:
    """How light `rgb(...)` is, 0 to 255."""
    return sum(int(float(each)) for each in re.findall(r"[\d.]+", color)[:3]) // 3


@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_a_phone_and_is_dark_where_the_reader_asks_for_it(
    browser: Browser, site: str, tmp_path: Path, page: str
) -> None:
    shown, width, ground, text, heading = looked_at(browser, f"{site}/frame/{PHONE}/{page}", tmp_path, DARK)
    assert heading and shown <= width <= PHONE, "nothing is to be scrolled sideways but tables and code by themselves"
    assert ground < 80 and text > ground + 80
    # The same browser, whose system is light by now: it follows.
    shown, width, ground, text, _ = looked_at(browser, f"{site}/frame/{DESK}/{page}", tmp_path, LIGHT)
    assert shown <= width <= DESK
    assert ground > 200 and text < ground - 80
