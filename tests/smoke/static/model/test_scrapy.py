"""Scrapy's command: where it finds a project, its settings and its spiders."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, outcomes

SPIDER = "import scrapy\n\n\nclass Prices(scrapy.Spider):\n    name = 'prices'\n"
HEAD = "FROM python:3.12-slim\nWORKDIR /srv\nRUN pip install scrapy\n"


def tree(start: str, copied: str = "COPY . .\n", **more: str) -> Changes:
    files = {
        "scrapy.cfg": "[settings]\ndefault = shop.settings\n",
        "shop/__init__.py": "",
        "shop/settings.py": "SPIDER_MODULES = ['shop.spiders']\n",
        "shop/spiders/__init__.py": "",
        "shop/spiders/prices.py": SPIDER,
    }
    named = {name.replace("__", "/").replace("_", "."): text for name, text in more.items()}
    return {"Dockerfile": f"{HEAD}{copied}CMD {start}\n", **files, **named}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (tree("scrapy crawl prices"), ""),
        (tree("scrapy crawl price"), "no file has one of that name (prices)"),
        (tree("scrapy crawl price", shop__spiders__x_py="class X(Spider):\n    name = NAME\n"), ""),
        (tree("scrapy crawl prices", "COPY shop shop\n"), "no scrapy.cfg in /srv"),
        (tree("scrapy list", "COPY shop shop\n"), "no command list"),
        (tree("scrapy runspider shop/spiders/prices.py", "COPY shop shop\n"), ""),
        (tree("SCRAPY_SETTINGS_MODULE=shop.settings scrapy crawl prices", "COPY shop shop\n"), ""),
        (tree("scrapy crawl prices", "COPY . .\nENV SCRAPY_SETTINGS_MODULE=shop.settings\n"), ""),
        (tree("scrapy crawl prices", "COPY scrapy.cfg .\n"), "names the settings shop.settings"),
        (tree("scrapy crawl prices", "COPY . .\nWORKDIR /srv/shop\n"), ""),
        (tree("scrapy crawl prices", ""), ""),
        (tree("scrapy crawl prices", scrapy_cfg="settings\n"), ""),
    ],
)
def test_outcome(tmp_path: Path, files: Changes, says: str) -> None:
    found = [message for kind, message in outcomes(tmp_path, files, "dockerfile.entrypoint") if kind == "critical"]
    assert [says in each for each in found] == ([True] if says else [])
