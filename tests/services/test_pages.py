"""The pages for people in a real browser, where there is one: they work under their policy, and are text alone."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from lucid.services.devnet import SERVICES, Devnet

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = "<img src=x onerror=document.title=1><script>document.title=1</script>"

needs_browser = pytest.mark.skipif(BROWSER is None, reason="there is no browser here")


def shown(url: str, folder: Path, *options: str) -> str:
    """What a page has become once its script has run."""
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *options]
    command += [f"--user-data-dir={folder}", "--virtual-time-budget=4000", "--dump-dom", url]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


@needs_browser
def test_the_explorer_shows_where_the_chain_stands(lone: Devnet, tmp_path: Path) -> None:
    node = lone.nodes[0]
    while httpx.get(f"{node.url('manager')}/chain").json()["height"] < 2:
        time.sleep(0.2)
    page = shown(f"{node.url('manager')}/explorer", tmp_path)
    for label in ("final height", "leads now", "leads next", "validators", "epoch, view"):
        assert f"<small>{label}</small>" in page, page[-3_000:]
    assert node.key.hex()[:12] in page and "<tbody><tr>" in page


@needs_browser
def test_hostile_text_stays_text(lone: Devnet, tmp_path: Path) -> None:
    page = shown(f"{lone.nodes[0].url('manager')}/explorer#{HOSTILE}", tmp_path)
    body = page.partition("<main")[2]
    assert "<img" not in body and "<title>Lucid blocks</title>" in page


@needs_browser
@pytest.mark.parametrize("service", SERVICES)
def test_the_description_shows_parameters_bodies_and_errors(lone: Devnet, tmp_path: Path, service: str) -> None:
    page = shown(f"{lone.nodes[0].url(service)}/docs", tmp_path)
    assert "<summary>" in page and "Too many requests" in page and "<code>/health</code>" in page


def test_where_the_chain_stands(lone: Devnet) -> None:
    node = lone.nodes[0]
    found = httpx.get(f"{node.url('manager')}/chain").json()
    assert found["leader"] == found["leader_next"] == node.key.hex() and found["validators"] == [node.key.hex()]
    assert (found["peers"], found["block_interval_ms"]) == (0, 1_000) and found["age_ms"] < 60_000
