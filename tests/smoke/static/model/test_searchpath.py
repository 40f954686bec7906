"""Where the Python of an image looks for modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.static.model.started import start

SITE = "/usr/local/lib/python3.12/site-packages"


@pytest.mark.parametrize(
    ("command", "lines", "search"),
    [
        ("python main.py", "", ("/srv", SITE)),
        ("python shop/a.py", "", ("/srv/shop", SITE)),
        ("python shop", "", ("/srv/shop", SITE)),
        ("python -m shop.a", "", ("/srv", SITE)),
        ("python -m shop.a", "ENV PYTHONPATH=/one:lib:$X", ("/srv", "/one", "/srv/lib", SITE)),
        ("python -E main.py", "ENV PYTHONPATH=/one", ("/srv", SITE)),
        ("python -I main.py", "ENV PYTHONPATH=/one", (SITE,)),
        ("python -P main.py", "ENV PYTHONPATH=/one", ("/one", SITE)),
        ("python -S main.py", "", ("/srv",)),
        ("/v/bin/python main.py", "RUN python -m venv /v", ("/srv", "/v/lib/python3.12/site-packages")),
        (
            "/v/bin/python main.py",
            "RUN python -m venv --system-site-packages /v",
            ("/srv", "/v/lib/python3.12/site-packages", SITE),
        ),
    ],
)
def test_where_it_looks_for_modules(tmp_path: Path, command: str, lines: str, search: tuple[str, ...]) -> None:
    """As Python documents it for its options; the user's own directory, which root has too, is left out."""
    found = start(tmp_path, command, lines).search
    assert tuple(each for each in found if ".local" not in each) == search
    own = [each for each in found if ".local" in each]
    assert bool(own) is (not {"-S", "-I"} & {*command.split()} and (search[-1] == SITE))
