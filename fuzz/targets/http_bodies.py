"""Bodies of JSON, nearly right or not at all, for every route of a node that takes one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import httpx

from fuzz.node import attacked, check
from fuzz.targets import Attempt
from lucid.services.devnet import SERVICES

CHECK_EVERY = 50
NUMBERS: list[Any] = [0, -1, 1, 2**53, 2**64, 2**2_000, 1.5, 1e308]
TEXTS: list[Any] = ["", "text", "\x00", "\x1b[2J", "\ud800", "\u202e", "é" * 99, "1" * 400, "00", "0" * 64, "-", "../x"]
LEAVES: list[Any] = [
    None,
    True,
    [],
    {},
    [[]],
    [{}] * 50,
    "ab" * 32,
    "AB" * 32,
    "ab" * 31,
    "a" * 9_999,
    *NUMBERS,
    *TEXTS,
]
NAMES = ["id", "session", "chunks", "payload", "block", "$ref", "", "\x00", "__proto__", "a" * 2_000]


def value(random: Random, depth: int = 3) -> Any:
    """Anything that JSON can say."""
    kind = random.randrange(4) if depth else 0
    if kind == 1:
        return [value(random, depth - 1) for _ in range(random.randrange(5))]
    if kind == 2:
        return {random.choice(NAMES): value(random, depth - 1) for _ in range(random.randrange(5))}
    return random.choice(LEAVES)


def spoilt(random: Random, example: Any) -> Any:
    """An example with something else in some of its places."""
    if random.random() < 0.25:
        return value(random)
    if isinstance(example, dict):
        kept = {name: spoilt(random, each) for name, each in example.items() if random.random() < 0.95}
        return kept | ({random.choice(NAMES): value(random)} if random.random() < 0.1 else {})
    if isinstance(example, list):
        return [spoilt(random, each) for each in example * random.choice([0, 1, 1, 1, 300])]
    return example


def encoded(random: Random, body: Any) -> bytes:
    """A body's bytes, at times cut, repeated, nested without end, or of another encoding."""
    text = json.dumps(body, ensure_ascii=random.random() < 0.8)
    data = text.encode("utf-8", "surrogatepass")
    if random.random() < 0.7:
        return data
    at = random.randrange(len(data) + 1)
    doubled = data.replace(b"{", b'{"id":1,"id":2,', 1)
    deep = random.choice([b"[", b'{"a":']) * random.choice([100, 100_000])
    return random.choice(
        [data[:at], data + data, data[:at] + b"\xff" + data[at:], doubled, deep, text.encode("utf-16", "replace")]
    )


@contextmanager
def target() -> Iterator[Attempt]:
    """A node whose routes are those of its own descriptions; nothing may be answered by a failure of the service."""
    with attacked() as node, httpx.Client(timeout=30.0, trust_env=False) as client:
        routes: list[tuple[str, str, str, Any]] = []
        for service in SERVICES:
            document = client.get(f"{node.url(service)}/openapi.json").json()
            for path, methods in document["paths"].items():
                for method, operation in methods.items():
                    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
                    name = schema.get("schema", {}).get("$ref", "").rpartition("/")[2]
                    if schema:
                        example = document["components"]["schemas"].get(name, {}).get("examples", [{}])[0]
                        routes.append((service, method, path, example))
        done = 0

        def attempt(random: Random) -> None:
            nonlocal done
            done += 1
            service, method, path, example = random.choice(routes)
            data = encoded(random, spoilt(random, example))
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {node.token}"}
            answer = client.request(method, node.url(service) + path, content=data, headers=headers)
            assert answer.status_code < 500 or answer.status_code == 503, f"{method} {path}: {answer.text}"
            if answer.status_code >= 400:
                error = answer.json()["error"]
                assert error["message"].isprintable(), f"{method} {path}: {error['message']!a}"
            if done % CHECK_EVERY == 0:
                check(node, service)

        yield attempt
