"""What a client asks of a node: each call is a route of the service it names, and an answer of any bytes is a value or
one sentence."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.api.answers import Checked
from lucid.api.versions import API_VERSION
from lucid.chain.chunks import MAX_CHUNK_BYTES, chunk_id
from lucid.chain.errors import Code
from lucid.chain.manifests import MAX_MANIFEST_BYTES
from lucid.chain.receipts import MAX_RECEIPT_BYTES
from lucid.client import calls
from lucid.client.calls import Call, ClientError
from lucid.services.anchoring import AnchoringService
from lucid.services.data import DataService
from lucid.services.devnet import Devnet
from lucid.services.engine import EngineService
from lucid.services.manager import ManagerService
from lucid.services.process.config import load_config
from lucid.services.web.route import Route

SESSION, OWNER, DATA = UUID("713582cd-70cf-44d3-a17f-bbc50069b142"), b"\xab" * 32, bytes(range(256)) * 5
ID = chunk_id(DATA)
CALLS: dict[str, Call[Any]] = {
    "anchor_session": calls.anchor_session(b"{}"),
    "session_state": calls.session_state(SESSION, OWNER),
    "manifest": calls.manifest(SESSION, OWNER),
    "receipt": calls.receipt(SESSION, OWNER, bytes(32)),
    "store_chunk": calls.store_chunk(DATA, SESSION, OWNER),
    "chunk": calls.chunk(ID, len(DATA)),
    "holds_chunk": calls.holds_chunk(ID, SESSION, OWNER),
    "release_chunk": calls.release_chunk(ID, SESSION, OWNER),
    "stored_sessions": calls.stored_sessions("ab", 7),
    "remove_session": calls.remove_session(SESSION, OWNER, 5, bytes(64)),
    "data_status": calls.data_status(),
    "order_scrub": calls.order_scrub("start", 1, 2),
    "held_chunks": calls.held_chunks("ab", 7, "missing", SESSION),
    "verify_chunk": calls.verify_chunk(ID.hex()),
    "repair_chunk": calls.repair_chunk(ID.hex()),
    "prune": calls.prune(dry_run=True),
    "session_copies": calls.session_copies(SESSION, OWNER),
    "chain_rules": calls.chain_rules(),
    "chain_nodes": calls.chain_nodes(),
    "submit_decision": calls.submit_decision(b"\x90"),
    "decision_state": calls.decision_state(ID),
    "credits": calls.credits(),
}
"""Each call there is, with all that it can be given."""


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[Route]]]:
    """What each service answers."""
    node = Devnet(tmp_path_factory.mktemp("node"), 1, 1_000).nodes[0]
    config = load_config({}, node.settings)
    made = [kind(config) for kind in (AnchoringService, DataService, EngineService, ManagerService)]
    yield {each.listed.key: each.web._routes for each in made}
    for each in made:
        each.close()


def route_of(call: Call[Any], routes: dict[str, list[Route]]) -> Route:
    """The one route that takes a call."""
    path = urlsplit(call.path).path.removeprefix(f"/api/v{API_VERSION}")
    assert path != call.path, "it names its version"
    [found] = [
        each
        for each in routes[call.service]
        if each.method == call.method and re.fullmatch(re.sub("<[^>]+>", "[^/]+", each.path), path)
    ]
    return found


def test_none_is_left_out() -> None:
    made = inspect.getmembers(calls, lambda each: inspect.isfunction(each) and each.__module__ == calls.__name__)
    assert {name for name, _ in made if not name.startswith("_")} == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_what_its_service_takes(name: str, routes: dict[str, list[Route]]) -> None:
    call = CALLS[name]
    found = route_of(call, routes)
    assert dict(parse_qsl(urlsplit(call.path).query)).keys() <= found.query.keys(), "a parameter nobody looks at"
    if found.takes is not None:
        assert msgspec.json.decode(call.body, type=found.takes, strict=True) is not None
    else:
        assert not call.body or found.raw is not None


@pytest.mark.parametrize(
    ("name", "asks"),
    {
        "anchor_session": "anchoring POST /anchor-session",
        "session_state": "anchoring GET /sessions/SESSION?owner=OWNER",
        "manifest": "anchoring GET /sessions/SESSION/manifest?owner=OWNER",
        "receipt": f"anchoring GET /sessions/SESSION/receipt?owner=OWNER&checkpoint={'00' * 32}",
        "store_chunk": "data PUT /chunks/CHUNK?session=SESSION&owner=OWNER",
        "chunk": "data GET /chunks/CHUNK",
        "holds_chunk": "data HEAD /chunks/CHUNK?session=SESSION&owner=OWNER",
        "release_chunk": "data DELETE /chunks/CHUNK?session=SESSION&owner=OWNER",
        "stored_sessions": "data GET /sessions?limit=7&after=ab",
        "remove_session": f"data DELETE /sessions/SESSION?owner=OWNER&until_ms=5&signature={'00' * 64}",
        "data_status": "data GET /status",
        "order_scrub": "data POST /scrub",
        "held_chunks": "data GET /chunks?limit=7&after=ab&status=missing&session=SESSION",
        "verify_chunk": "data POST /chunks/CHUNK/verify",
        "repair_chunk": "data POST /chunks/CHUNK/repair",
        "prune": "data POST /prune",
        "session_copies": "data GET /sessions/SESSION/copies?owner=OWNER",
        "chain_rules": "manager GET /chain/rules",
        "chain_nodes": "manager GET /nodes",
        "submit_decision": "manager POST /chain/decisions",
        "decision_state": "manager GET /chain/decisions/CHUNK",
        "credits": "engine GET /consensus/credits",
    }.items(),
)
def test_all_that_a_call_is_given_is_asked(name: str, asks: str) -> None:
    """A path alone has several routes, by method: that a call is one of them does not say that it is the right one."""
    call = CALLS[name]
    path = call.path.replace(str(SESSION), "SESSION").replace(OWNER.hex(), "OWNER").replace(ID.hex(), "CHUNK")
    assert f"{call.service} {call.method} {path.removeprefix(f'/api/v{API_VERSION}')}" == asks


def test_bodies_say_what_was_given() -> None:
    assert calls.store_chunk(DATA, SESSION).body == DATA and calls.anchor_session(b"{1}").body == b"{1}"
    assert json.loads(calls.prune(dry_run=True).body) == {"dry_run": True}
    assert json.loads(calls.prune(dry_run=False).body) == {"dry_run": False}
    assert json.loads(calls.order_scrub("pause", 1, 2).body) == {
        "action": "pause",
        "max_duration_ms": 1,
        "max_age_ms": 2,
    }
    assert json.loads(calls.submit_decision(b"\x90").body) == {"payload": "90"}


def test_as_much_of_an_answer_is_read_as_there_may_be_of_it() -> None:
    limits = {name: call.limit for name, call in CALLS.items()}
    most = {"chunk": len(DATA), "manifest": MAX_MANIFEST_BYTES, "receipt": MAX_RECEIPT_BYTES}
    assert limits == {name: most.get(name, calls.MAX_ANSWER_BYTES) for name in CALLS}
    assert calls.chunk(ID).limit == MAX_CHUNK_BYTES


@settings(max_examples=80)
@given(
    st.sampled_from(sorted(CALLS)),
    st.sampled_from([200, 202, 304, 307, 404, 503]),
    st.binary(max_size=60)
    | st.dictionaries(st.sampled_from(["error", "code", "id"]), st.text()).map(msgspec.json.encode),
)
def test_any_answer_is_a_value_or_one_sentence(name: str, status: int, body: bytes) -> None:
    try:
        CALLS[name].result(status, body)
    except ClientError as error:
        assert str(error).isprintable() and error.status in (0, status)
    else:
        assert status < 300


# -- what is left out, and what is checked -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "query"),
    [
        (calls.session_state(SESSION), ""),
        (calls.session_state(SESSION, OWNER), f"owner={OWNER.hex()}"),
        (calls.receipt(SESSION, checkpoint=bytes(32)), f"checkpoint={'00' * 32}"),
        (calls.stored_sessions("", 5), "limit=5"),
        (calls.held_chunks("", 5), "limit=5"),
        (calls.remove_session(SESSION), ""),
        (calls.remove_session(SESSION, OWNER, 5), f"owner={OWNER.hex()}"),
        (calls.remove_session(SESSION, OWNER, 5, b"\x01"), f"owner={OWNER.hex()}&until_ms=5&signature=01"),
    ],
)
def test_what_is_not_said_is_not_asked(call: Call[Any], query: str) -> None:
    assert urlsplit(call.path).query == query


def test_bytes_of_a_chunk_are_its_own_and_no_more_than_were_said() -> None:
    call = calls.chunk(ID, len(DATA))
    assert call.result(200, DATA) == DATA and call.limit == len(DATA)
    with pytest.raises(ClientError) as refused:
        call.result(200, DATA[:-1])
    assert refused.value.code is Code.CHUNK_ID and ID.hex() in str(refused.value)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_success_is_read_and_a_refusal_says_its_code_once(status: int) -> None:
    body = msgspec.json.encode(Checked("ab" * 32, "verified"))
    assert calls.verify_chunk("ab" * 32).result(status, body) == Checked("ab" * 32, "verified")
    refusal = {"error": {"code": Code.NOT_FOUND.code, "message": f"{Code.NOT_FOUND.sentence} (chunk)"}}
    with pytest.raises(ClientError) as refused:
        calls.verify_chunk("ab" * 32).result(status + 200, json.dumps(refusal).encode())
    assert str(refused.value) == f"{Code.NOT_FOUND.code}: {Code.NOT_FOUND.sentence} (chunk)"
    assert (refused.value.status, refused.value.detail) == (status + 200, "chunk")


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"error":1}', b'{"error":{"code":"LUCID_ERR_1","message":"x"}}', b"\xff"]
)
@pytest.mark.parametrize("status", [100, 199, 300, 307, 502])
def test_a_refusal_that_says_nothing_is_its_status(body: bytes, status: int) -> None:
    with pytest.raises(ClientError) as refused:
        calls.holds_chunk(ID, SESSION).result(status, body)  # which reads nothing of a success
    assert (refused.value.code, refused.value.detail) == (Code.UNAVAILABLE, f"data answers {status}")
    assert refused.value.status == status
