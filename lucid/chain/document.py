"""A genesis document as people read, write and send it around: TOML (protocol section 3).

The chain id is the hash of the canonical encoding, so comments, order and spacing of the text do not count.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import msgspec

from lucid.chain.errors import GenesisError
from lucid.chain.fields import Natural
from lucid.chain.genesis import CHAIN_NAME, Activation, Genesis, GenesisNode, GenesisOfRules
from lucid.chain.parameters import Parameters


class _Node(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    key: str
    pool: str = ""


class _Rules(msgspec.Struct, forbid_unknown_fields=True):
    version: Natural
    height: Natural = 0


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    genesis_time_ms: Natural
    nodes: list[_Node]
    chain: str = CHAIN_NAME
    threshold: Natural = 0
    administrators: list[str] = []
    parameters: dict[str, int] = {}
    rules: _Rules | None = None


def parse_genesis(text: str) -> Genesis:
    """The checked genesis that a TOML text describes; raises `GenesisError` naming the key that is wrong."""
    try:
        document = msgspec.convert(tomllib.loads(text), _Document)
    except tomllib.TOMLDecodeError as error:
        raise GenesisError(f"it is not TOML: {error}") from None
    except (msgspec.ValidationError, RecursionError) as error:
        raise GenesisError(str(error)) from None
    fields = (
        document.genesis_time_ms,
        tuple(
            GenesisNode(_key(f"nodes[{number}].key", node.key), node.name, node.pool)
            for number, node in enumerate(document.nodes)
        ),
        tuple(_key(f"administrators[{number}]", key) for number, key in enumerate(document.administrators)),
        document.threshold,
        _parameters(document.parameters),
        document.chain,
    )
    # Without the key it is the older kind, whose chain id no later release may change (section 3).
    if document.rules is None:
        return Genesis(*fields).check()
    return GenesisOfRules(*fields, Activation(document.rules.version, document.rules.height)).check()


def print_genesis(genesis: Genesis) -> str:
    """The TOML text of a genesis: every parameter named, so that it says the same whatever the defaults become."""
    return "\n".join(_lines(genesis)) + "\n"


def _lines(genesis: Genesis) -> Iterator[str]:
    yield f"# Genesis of chain {genesis.chain_id.hex()}"
    yield f"chain = {_text(genesis.chain)}"
    yield f"genesis_time_ms = {genesis.genesis_time_ms}"
    yield f"threshold = {genesis.threshold}"
    yield f"administrators = [{', '.join(_text(key.hex()) for key in genesis.administrators)}]"
    yield ""
    yield "[parameters]"
    for name in Parameters.__struct_fields__:
        yield f"{name} = {getattr(genesis.parameters, name)}"
    if genesis.rules is not None:
        yield ""
        yield "[rules]"
        yield f"version = {genesis.rules.version}"
        yield f"height = {genesis.rules.height}"
    for node in genesis.nodes:
        yield ""
        yield "[[nodes]]"
        yield f"name = {_text(node.name)}"
        yield f"key = {_text(node.key.hex())}"
        if node.pool:
            yield f"pool = {_text(node.pool)}"


def _text(value: str) -> str:
    """A TOML basic string: JSON's escapes are a subset of TOML's, but for DEL, which TOML wants escaped."""
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")


def _key(name: str, value: str) -> bytes:
    try:
        key = bytes.fromhex(value)
    except ValueError:
        key = b""
    if len(key) != 32 or len(value) != 64:
        raise GenesisError(f"{name} must be 64 hexadecimal digits")
    return key


def _parameters(values: dict[str, Any]) -> Parameters:
    for name, value in values.items():
        if name not in Parameters.__struct_fields__:
            raise GenesisError(f"parameters.{name} is not a parameter")
        if not 0 <= value <= 2**53:
            raise GenesisError(f"parameters.{name} must be within 0..2^53, is {value}")
    return Parameters(**values)
