"""Anchoring files as one session, and getting them back: what `lucid anchor` and `lucid fetch` do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from lucid import __version__
from lucid.chain.chunks import MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, chunk_id
from lucid.chain.codec import prepare
from lucid.chain.errors import Code
from lucid.chain.keys import Crypto
from lucid.chain.manifests import check_manifest, sign_manifest
from lucid.client import calls
from lucid.client.answers import SessionState
from lucid.client.bundle import Unpacker, bundle_bytes, index_of, pack
from lucid.client.calls import ClientError
from lucid.client.http import Client
from lucid.client.sealing import OVERHEAD_BYTES, seal, session_key, unseal

CHUNK_BYTES = 4 << 20
POLL_S = 0.25
LEAST_BYTES = MIN_CHUNK_BYTES - OVERHEAD_BYTES

Progress = Callable[[int, int], None]
"""Told how many bytes of how many are done."""


class Recording(NamedTuple):
    """A session that a node has accepted: its id and its signed manifest."""

    session: UUID
    manifest: bytes


def store_files(
    client: Client,
    paths: Sequence[Path],
    secret: bytes,
    chain_id: bytes,
    crypto: Crypto,
    chunk_bytes: int = CHUNK_BYTES,
    progress: Progress = lambda done, total: None,
) -> Recording:
    """Encrypt files, store them as one session's chunks, and anchor it; returns when the node holds it durably.

    `chunk_bytes` is the size of a stored chunk. If it fails, what was stored is given up again. Raises `ClientError`,
    `BundleError`, `Refusal`.
    """
    assert MIN_CHUNK_BYTES <= chunk_bytes <= MAX_CHUNK_BYTES
    session, began_ms = uuid4(), time.time_ns() // 1_000_000
    key = session_key(secret, session)
    index = index_of(paths)
    total, done = bundle_bytes(index), 0
    chunks: list[dict[str, Any]] = []
    try:
        for place, data in enumerate(pack(paths, index, chunk_bytes - OVERHEAD_BYTES, LEAST_BYTES)):
            sealed = seal(key, session, place, data)
            chunks.append({"index": place, "size": len(sealed), "id": chunk_id(sealed).hex()})
            client.send(calls.store_chunk(sealed, session))
            done += len(data)
            progress(min(done, total), total)
        fields = {
            "session": str(session),
            "started_ms": began_ms,
            "ended_ms": max(began_ms, time.time_ns() // 1_000_000),
            "chunks": chunks,
            "codec": "lucid-files-1",
            "recorder_version": f"lucid {__version__}",
        }
        manifest = sign_manifest(fields, secret, chain_id, crypto)
        client.send(calls.anchor_session(manifest))
    except BaseException:
        for chunk in chunks:
            with suppress(ClientError):
                client.send(calls.release_chunk(bytes.fromhex(chunk["id"]), session))
        raise
    return Recording(session, manifest)


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
                raise ClientError(Code.UNAVAILABLE, f"the session failed: {state.code} {state.message}")
            if state.status == "final" or time.monotonic() > deadline:
                return state
        time.sleep(POLL_S)


def fetch_files(
    client: Client,
    session: UUID,
    key: bytes,
    chain_id: bytes,
    crypto: Crypto,
    folder: Path,
    progress: Progress = lambda done, total: None,
) -> list[Path]:
    """Get a session's files back into a folder; returns them. `key` is the session's.

    Every byte is checked against the manifest, whose signature must hold. Raises `ClientError`, `Unsealable`,
    `BundleError`, `Refusal`.
    """
    manifest = check_manifest(client.send(calls.manifest(session)), chain_id, crypto).manifest
    if manifest.session != str(session):
        raise ClientError(Code.MANIFEST, "the node gave another session's")
    done = 0
    with Unpacker(folder) as unpacker:
        for chunk in manifest.chunks:
            sealed = client.send(calls.chunk(bytes.fromhex(chunk.id)))
            unpacker.feed(unseal(key, session, chunk.index, sealed))
            done += chunk.size
            progress(done, manifest.total_bytes)
        return unpacker.finish()


prepare()  # who stores recordings does it in threads of their own
