"""Browsers that code starts: what installs them, for whom, and with which libraries."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import outcomes

PLAYWRIGHT = """\
from playwright.sync_api import sync_playwright

with sync_playwright() as p:
    browser = p.chromium.launch()
    browser.new_page().wait_for_timeout(10**9)
"""
SELENIUM = "from selenium import webdriver\n\ndriver = webdriver.Chrome()\n"
INSTALL = "RUN pip install playwright selenium\n"


def told(folder: Path, steps: str, main: str = PLAYWRIGHT, base: str = "python:3.12-slim") -> list[str]:
    text = f'FROM {base}\n{steps}COPY main.py /srv/\nCMD ["python", "/srv/main.py"]\n'
    found = outcomes(folder, {"Dockerfile": text, "main.py": main}, "dependencies.libraries")
    return [message for kind, message in found if kind == "critical"]


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        (INSTALL, "nothing installs its browsers"),
        (INSTALL + "RUN playwright install firefox --with-deps\n", "only firefox"),
        (INSTALL + "RUN playwright install chromium\n", "lacks libnss3.so"),
        (INSTALL + "RUN playwright install --with-deps\nRUN useradd -m shot\nUSER shot\n", "shot looks in /home/shot"),
    ],
)
def test_what_is_lacking(tmp_path: Path, steps: str, says: str) -> None:
    assert [says in each for each in told(tmp_path, steps)] == [True]


@pytest.mark.parametrize(
    "steps",
    [
        INSTALL + "RUN python -m playwright install --with-deps chromium\n",
        INSTALL + "RUN playwright install-deps && playwright install\n",
        INSTALL + "RUN playwright install $BROWSER --with-deps\n",
        INSTALL + "RUN apt-get update && apt-get install -y chromium\n",
        INSTALL + "COPY setup.sh /\nRUN /setup.sh\n",
        INSTALL + "COPY --from=shop/browsers /ms-playwright /root/.cache/ms-playwright\n",
        "ENV PLAYWRIGHT_BROWSERS_PATH=/b\n" + INSTALL + "RUN playwright install --with-deps\nRUN useradd x\nUSER x\n",
    ],
)
def test_what_may_be_there(tmp_path: Path, steps: str) -> None:
    assert told(tmp_path, steps) == []


@pytest.mark.parametrize(
    "main",
    [
        PLAYWRIGHT.replace("launch()", "launch(executable_path='/usr/bin/x')"),
        PLAYWRIGHT.replace("launch()", "connect('ws://browsers')"),
        SELENIUM.replace("Chrome()", "Remote('http://browsers:4444')"),
    ],
)
def test_browsers_of_others(tmp_path: Path, main: str) -> None:
    assert told(tmp_path, INSTALL, main) == []


def test_selenium(tmp_path: Path) -> None:
    assert ["Chrome is started by selenium" in each for each in told(tmp_path / "a", INSTALL, SELENIUM)] == [True]
    packages = "RUN apt-get update && apt-get install -y chromium chromium-driver\n"
    assert told(tmp_path / "b", INSTALL + packages, SELENIUM) == []


def test_a_base_of_its_own(tmp_path: Path) -> None:
    assert told(tmp_path, INSTALL, base="mcr.microsoft.com/playwright/python:v1.47.0") == []
