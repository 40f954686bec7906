"""The bill of materials of an image: its Python distributions."""

from __future__ import annotations

import posixpath
from typing import Any

from smoke.image.image import BuiltImage


def bill_of_materials(image: BuiltImage) -> dict[str, Any]:
    """The Python distributions of an image, as CycloneDX 1.5."""
    components = []
    for each in image.files:
        name = posixpath.basename(each.path)
        if each.kind == "directory" and name.endswith(".dist-info"):
            package, _, version = name.removesuffix(".dist-info").partition("-")
            package = package.replace("_", "-").lower()
            found = {"type": "library", "name": package, "version": version, "purl": f"pkg:pypi/{package}@{version}"}
            components.append(found)
    components.sort(key=lambda each: each["name"])
    subject = {"type": "container", "name": image.name, "version": image.attributes["Id"]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": subject},
        "components": components,
    }
