"""What a grep came to, as reports have it."""

from __future__ import annotations

import msgspec

from smoke.literalcount import LiteralCount


def test_it_is_written_as_the_schema_has_it() -> None:
    count = LiteralCount("grep -r word .", 3, 2)
    assert msgspec.json.encode(count) == b'{"command":"grep -r word .","lines":3,"files":2}'
    assert msgspec.json.decode(msgspec.json.encode(count), type=LiteralCount) == count
