"""Plug-ins: a tree's own knowledge of its product, found by the name in its manifest."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from smoke.live.failure import LiveError
from smoke.live.nodejudge import live
from smoke.live.plain import PlainProduct, product_of
from smoke.manifestfile import ManifestError, parse_manifest, read_manifest
from tests.smoke.live.shop import MANIFEST, write_shop

PLUGIN = '''\
import json
import urllib.request

from smoke.live.checks import API
from smoke.live.plain import PlainProduct


class Orders:
    """Knows that an order is kept."""

    def __init__(self, plain, words):
        self.plain, self.words = plain, words

    def __getattr__(self, name):
        return getattr(self.plain, name)

    def steps(self, run):
        def orders():
            url = run.node.url("shop") + "/orders"
            urllib.request.urlopen(url, data=self.words.encode(), timeout=10)
            run.node.kill("shop")
            run.node.start("shop")
            run.node.await_health(["shop"], "healthy", run.start_s)
            kept = json.load(urllib.request.urlopen(url, timeout=10))
            yield API.passed(f"orders are {kept}") if kept == [self.words] else API.fail(f"orders are {kept}")

        return ((API, orders), *self.plain.steps(run))


def shop(manifest, options):
    from pathlib import Path

    return Orders(PlainProduct(manifest, Path(__file__).parent), options["order"])
'''


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    sys.modules.pop("shop_plugin", None)


def test_a_plug_in_adds_what_it_knows_of_the_product(tmp_path: Path) -> None:
    manifest = MANIFEST.replace("[live]", '[live]\nplugin = "shop_plugin:shop"')
    root = write_shop(tmp_path, manifest, {"shop_plugin.py": PLUGIN})
    product = product_of(root, read_manifest(root / "smoke.toml"), {"order": "tea"})
    judgment = live(product, title="Shop", containers=False)
    assert judgment.status == 0, judgment.findings
    assert "orders are ['tea']" in {each.message for each in judgment.of("passed")}
    assert str(root) not in sys.path


@pytest.mark.parametrize("plugin", ["no_such_module:shop", "shop_plugin:none"])
def test_a_plug_in_that_is_not_there_is_one_sentence(tmp_path: Path, plugin: str) -> None:
    root = write_shop(tmp_path, f'[live]\nplugin = "{plugin}"\n', {"shop_plugin.py": PLUGIN})
    with pytest.raises(LiveError, match=f"the plug-in {plugin} cannot be loaded"):
        product_of(root, read_manifest(root / "smoke.toml"), {})


def test_a_plug_in_s_name_has_a_module_and_what_is_in_it() -> None:
    with pytest.raises(ManifestError, match="plugin"):
        parse_manifest(b'[live]\nplugin = "shop"\n')


def test_words_are_filled_in_and_others_left_alone(tmp_path: Path) -> None:
    text = MANIFEST.replace('PORT = "{port}"', 'PORT = "{port}", LEFT = "{other} ${HOME}"')
    root = write_shop(tmp_path, text)
    product = PlainProduct(read_manifest(root / "smoke.toml"), root)

    class Contained:
        contained = True

        def port(self, service: str) -> int:
            return 9001

        def data(self, service: str) -> str:
            return "/data"

    given = product.environment(Contained(), "shop")  # type: ignore[arg-type]
    assert given == {"NAME": "shop", "PORT": "9001", "LEFT": "{other} ${HOME}", "DATA": "/data"}
    assert list(product.command(Contained(), "shop")) == [sys.executable, f"{root}/server.py"]  # type: ignore[arg-type]
