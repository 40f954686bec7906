"""What becomes of a recording that a node took: it is followed until it is final, proven, and held by other nodes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from uuid import UUID

from lucid.api.answers import SessionCopies, SessionState
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.manifests import check_manifest
from lucid.chain.receipts import verify_session_receipt
from lucid.client import calls
from lucid.client.calls import ClientError
from lucid.client.http import Client
from lucid.client.recording import POLL_S, Recording

COPIES_POLL_S = 1.0


def await_final(
    client: Client,
    session: UUID,
    within_s: float,
    status: Callable[[str], None] = lambda text: None,
    owner: bytes = b"",
) -> SessionState:
    """Wait until a session is final; returns its state, whatever it is after `within_s`. A node that is away for a
    while is asked again. Raises `ClientError` when the session failed, or the node is away at the end."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            state = client.send(calls.session_state(session, owner))
        except ClientError as error:
            if time.monotonic() > deadline or (error.status and error.status != 503):
                raise
        else:
            status(state.status)
            if state.status == "failed":
                raise ClientError(Code.SESSION_FAILED, f"{state.code}: {state.message}")
            if state.status == "final" or time.monotonic() > deadline:
                return state
        time.sleep(POLL_S)


def hand_on(clients: Sequence[Client], recording: Recording) -> list[ClientError]:
    """Give further nodes the manifest of a session that is final: until others have fetched it, which they do under
    rules 3 alone, the node that took it has the only one. Returns why nodes did not take it."""
    refused = []
    for client in clients:
        try:
            client.send(calls.anchor_session(recording.manifest))
        except ClientError as error:
            refused.append(error)
    return refused


def await_replicated(
    client: Client, session: UUID, owner: bytes, within_s: float, status: Callable[[str], None] = lambda text: None
) -> SessionCopies:
    """Wait until other nodes hold all chunks of a session; returns how they are held, whatever that is after
    `within_s`. Does not wait where the chain has one node. Raises `ClientError`."""
    deadline = time.monotonic() + within_s
    while True:
        found = client.send(calls.session_copies(session, owner))
        if replicated(found) or found.copies == 1 or time.monotonic() > deadline:
            return found
        status("copying")
        time.sleep(COPIES_POLL_S)


def replicated(held: SessionCopies) -> bool:
    """Whether all chunks of a session are where they belong, which is more than one node, and the chain says so where
    its rules let nodes say it (from 3 on)."""
    whole = held.copies > 1 and not sum((held.pending, held.stored, held.verified, held.missing, held.corrupted))
    return whole and (held.on_chain is None or held.on_chain >= held.copies)


def proven_receipt(client: Client, recording: Recording, genesis: Genesis, crypto: Crypto) -> bytes:
    """The receipt of a recording that the node says is final, verified: it proves this very manifest.

    Raises `Refusal` when it does not, `ClientError` when there is none.
    """
    anchor = check_manifest(recording.manifest, genesis.chain_id, crypto).anchor
    data = client.send(calls.receipt(recording.session, anchor.owner))
    proven = verify_session_receipt(data, genesis, crypto, recording.session.bytes, anchor.owner)
    if proven != anchor:
        raise Refusal(Code.RECEIPT_OTHER, "it proves another manifest of this session")
    return data
