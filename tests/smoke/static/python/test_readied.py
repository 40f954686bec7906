"""What `AppConfig.ready` imports."""

from __future__ import annotations

import pytest

from smoke.static.python.readied import imports_of_ready

TEXT = """\
from django.apps import AppConfig

class Shop(AppConfig):
    name = "shop"
    def ready(self):
        import shop.signals
        from . import checks
        if DEBUG:
            import shop.debug
        import shop.later
"""


def test_imports_up_to_what_is_decided() -> None:
    assert imports_of_ready(TEXT.encode(), "") == {6, 7}
    assert imports_of_ready(TEXT.encode(), "Shop") == {6, 7}


@pytest.mark.parametrize(
    ("text", "name"), [(TEXT, "Other"), (TEXT + "class Two: pass\n", ""), ("def ready(:", ""), ("", "")]
)
def test_nothing_where_it_is_not_plain(text: str, name: str) -> None:
    assert imports_of_ready(text.encode(), name) == frozenset()
