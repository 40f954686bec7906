"""Variables without which an entry script ends."""

from __future__ import annotations

import pytest

from smoke.static.model.demanded import demanded


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("#!/bin/sh\nset -u\necho $STAGE\n", ("STAGE",)),
        ("#!/bin/sh -eu\necho ${STAGE}\n", ("STAGE",)),
        ('#!/bin/sh\n: "${URL:?is not set}"\n', ("URL",)),
        ("#!/bin/sh\necho $STAGE\n", ()),
        ("#!/bin/sh\nset -u\nSTAGE=a\necho $STAGE ${OTHER:-b} $HOME '$QUOTED' \\$ESCAPED\n", ()),
        ("#!/bin/sh\nset -u\nif true; then\n  echo $STAGE\nfi\n", ()),
        ("#!/bin/sh\nset -u\n. ./env.sh\necho $STAGE\n", ()),
    ],
)
def test_what_surely_runs_demands(text: str, wanted: tuple[str, ...]) -> None:
    assert demanded(text) == wanted
