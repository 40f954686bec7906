"""Bodies of JSON: decoded into the struct that a route takes, or every fault of theirs at once."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import FieldInfo, fields

from lucid.chain.errors import Code, LucidError, Refusal
from lucid.services.web.problems import Problem

MAX_FAULTS = 20
"""A body with more faults than that is no near miss."""


class BodyFault(msgspec.Struct, frozen=True):
    """One thing that is wrong with a body: where, as a JSONPath, and what."""

    path: str
    fault: str


def decode_json(data: bytes, kind: type) -> Any:
    """A body as its struct. Raises `Problem` (400) whose details name each fault and the format that was expected."""
    try:
        try:
            return msgspec.json.decode(data, type=kind)
        except msgspec.ValidationError as error:
            faults = _faults(msgspec.json.decode(data), kind, "$") or [BodyFault("$", str(error))]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Problem(Code.REQUEST, f"it is not JSON: {error}") from None
    raise _named(Code.REQUEST, faults, kind)


def explained(refusal: Refusal, data: bytes, kind: type) -> LucidError:
    """A refusal of a body that has a reader of its own, with each fault of its fields; as it is where those have none,
    or the body is not JSON."""
    try:
        faults = _faults(msgspec.json.decode(data), kind, "$")
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return refusal
    return _named(refusal.code, faults, kind) if faults else refusal


def _named(code: Code, faults: list[BodyFault], kind: type) -> Problem:
    shown = faults[:MAX_FAULTS]
    details = {
        "faults": [msgspec.to_builtins(each) for each in shown],
        "format": f"/openapi.json#/components/schemas/{kind.__name__}",
    }
    return Problem(code, "; ".join(f"{each.path}: {each.fault}" for each in shown), details, status=400)


def _faults(value: Any, kind: Any, path: str) -> list[BodyFault]:
    """What keeps a decoded value from being of a kind; only a struct's fields are looked at one by one."""
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, dict)):
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            sentence, _, where = str(error).partition(" - at `$")
            return [BodyFault(path + where.rstrip("`"), sentence)]
        return []
    known = {field.encode_name: field for field in fields(kind)}
    found = [fault for name, field in known.items() for fault in _of_field(value, name, field, path)]
    if kind.__struct_config__.forbid_unknown_fields:
        found += [BodyFault(path, f"there is no field {name[:64]!a}") for name in value if name not in known]
    return found


def _of_field(value: dict[str, Any], name: str, field: FieldInfo, path: str) -> list[BodyFault]:
    if name in value:
        return _faults(value[name], field.type, f"{path}.{name}")
    return [BodyFault(path, f"it lacks the field {name!r}")] if field.required else []
