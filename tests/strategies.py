"""Hypothesis strategies of encoded values: any value of a `Record` type, within the bounds that its fields declare."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

MAX_INT = 2**64 - 1
MIN_INT = -(2**63)


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type that the codec knows: a record, an int, bytes, a text, a tuple, or a union of these."""
    return _values(inspect.type_info(kind))


def _values(info: inspect.Type) -> st.SearchStrategy[Any]:
    found: st.SearchStrategy[Any]
    match info:
        case inspect.StructType():
            found = st.builds(info.cls, *(_values(field.type) for field in info.fields))
        case inspect.IntType():
            low = MIN_INT if info.ge is None else info.ge
            found = st.integers(low, MAX_INT if info.le is None else info.le)
        case inspect.BytesType():
            found = st.binary(min_size=info.min_length or 0, max_size=info.max_length)
        case inspect.StrType():
            found = st.text(max_size=70)
        case inspect.VarTupleType():
            fewest = info.min_length or 0
            most = 4 if info.max_length is None else min(info.max_length, fewest + 4)
            found = st.lists(_values(info.item_type), min_size=fewest, max_size=most).map(tuple)
        case inspect.TupleType():
            found = st.tuples(*(_values(item) for item in info.item_types))
        case inspect.UnionType():
            found = st.one_of([_values(item) for item in info.types])
        case inspect.NoneType():
            found = st.none()
        case inspect.BoolType():
            found = st.booleans()
        case _:
            raise TypeError(info)
    return found
