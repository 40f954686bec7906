"""Rows over others: as if all were in one table."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lucid.storage.overlay import overlaid

KEYS = st.binary(min_size=1, max_size=2)
ROWS = st.dictionaries(KEYS, st.binary(max_size=2))


@given(ROWS, st.dictionaries(KEYS, st.none() | st.binary(max_size=2)), st.binary(max_size=2), st.booleans())
def test_it_is_as_if_all_were_in_one_table(
    stored: dict[bytes, bytes], held: dict[bytes, bytes | None], start: bytes, reverse: bool
) -> None:
    def wanted(rows: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        found = sorted(rows.items(), reverse=reverse)
        return [row for row in found if not start or (row[0] < start if reverse else row[0] >= start)]

    kept = {key: value for key, value in (stored | held).items() if value is not None}
    for limit in (None, 0, 1, 3):
        found = list(overlaid(held, iter(wanted(stored)), start, limit, reverse))
        assert found == wanted(kept)[:limit]
