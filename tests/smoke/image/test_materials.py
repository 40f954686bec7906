"""The bill of materials of an image."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from smoke.image.image import BuiltImage
from smoke.image.materials import bill_of_materials
from tests.smoke.image.stand_in import Engine


def test_it_names_each_distribution(tmp_path: Path) -> None:
    with BuiltImage(Engine(tmp_path / "image"), "shop:1", Event()) as image:
        bill = bill_of_materials(image)
    assert [each["purl"] for each in bill["components"]] == ["pkg:pypi/h11@0.16.0"]
    assert bill["metadata"]["component"]["name"] == "shop:1" and bill["bomFormat"] == "CycloneDX"
