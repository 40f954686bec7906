"""What a built package says of its home: no link of the README leads to a file that is not beside it any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from docs.site import LINK
from hatch_build import HOME, ProjectHome, absolute, links

ROOT = Path(__file__).parents[1]
FORGE = "https://forge.example/owner/name"


@pytest.mark.parametrize(
    ("text", "leads"),
    [
        ("[a](docs/a.md#b) c", f"[a]({FORGE}/blob/HEAD/docs/a.md#b) c"),
        ("![a](docs/a.png)", f"![a]({FORGE}/raw/HEAD/docs/a.png)"),
        ("[two\nlines](LICENSE)", f"[two\nlines]({FORGE}/blob/HEAD/LICENSE)"),
        ("[![a](b.png)](c.md)", f"[![a](b.png)]({FORGE}/blob/HEAD/c.md)"),
        ("[a](https://x.example/b) [c](#d) [e](mailto:f)", "[a](https://x.example/b) [c](#d) [e](mailto:f)"),
        ("call(a)[b](not a link)", "call(a)[b](not a link)"),
    ],
)
def test_a_link_to_the_tree_leads_to_its_home(text: str, leads: str) -> None:
    assert absolute(text, FORGE) == leads


def updated() -> dict[str, Any]:
    """The metadata that a build adds."""
    metadata: dict[str, Any] = {}
    ProjectHome(str(ROOT), {}).update(metadata)
    return metadata


def test_whoever_builds_says_where_the_home_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME, f"{FORGE}/")
    found = updated()
    assert found["urls"] == links(FORGE) and all(each.startswith(f"{FORGE}") for each in found["urls"].values())
    leads = [target for _, target in LINK.findall(found["readme"]["text"])]
    assert len(leads) > 10 and all(each.startswith("https://") for each in leads)
    assert f"{FORGE}/raw/HEAD/docs/report.png" in found["readme"]["text"]


def test_without_a_home_the_readme_is_that_of_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HOME, raising=False)
    assert updated() == {"readme": {"content-type": "text/markdown", "text": (ROOT / "README.md").read_text("utf-8")}}
