"""Recording files as one session: stored at a node, and handed to it to be anchored, as `lucid anchor` does.

A recording goes on after an interruption where it was (`Journal`), and gives nothing up that may have been anchored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from lucid import __version__
from lucid.chain.chunks import MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, chunk_id
from lucid.chain.codec import prepare
from lucid.chain.errors import Refusal
from lucid.chain.keys import Crypto
from lucid.chain.manifests import check_manifest, sign_manifest
from lucid.chain.transactions import RelayMandate, claim_message
from lucid.chain.versions import RELAY_RULES
from lucid.client import calls
from lucid.client.bundle import bundle_bytes, index_of, pack
from lucid.client.calls import Call, ClientError, T
from lucid.client.errors import BundleError
from lucid.client.http import Client
from lucid.client.journal import Journal, marks, write_journal
from lucid.client.sealing import OVERHEAD_BYTES, key_commitment, seal, session_key
from lucid.client.sources import sources

CHUNK_BYTES = 4 << 20
POLL_S = 0.25
LEAST_BYTES = MIN_CHUNK_BYTES - OVERHEAD_BYTES
CODEC = "lucid-files-2"
AWAY_S = 30.0
"""How long a node that goes away in the middle is waited for."""
_AWAY = (0, 502, 503, 504)
_REFUSALS = (400, 409, 413, 422)

Progress = Callable[[int, int], None]
"""Told how many bytes of how many are done."""


class Recording(NamedTuple):
    """A session that a node has accepted: its id and its signed manifest."""

    session: UUID
    manifest: bytes


def begin(paths: Sequence[Path], owner: bytes, chain_id: bytes, chunk_bytes: int = CHUNK_BYTES) -> Journal:
    """A recording of these files and folders, of which nothing is stored yet; raises `BundleError`.

    `chunk_bytes` is the size of a stored chunk.
    """
    assert MIN_CHUNK_BYTES <= chunk_bytes <= MAX_CHUNK_BYTES
    return Journal(
        session=uuid4(),
        chain=chain_id.hex(),
        owner=owner.hex(),
        paths=tuple([str(path.absolute()) for path in paths]),
        files=marks(sources(paths)),
        chunk_bytes=chunk_bytes,
        started_ms=time.time_ns() // 1_000_000,
    )


def store_files(
    client: Client,
    journal: Journal,
    secret: bytes,
    crypto: Crypto,
    progress: Progress = lambda done, total: None,
    *,
    kept: Path | None = None,
    resume: bool = False,
) -> Recording:
    """Encrypt the files, store them as one session's chunks, and anchor it; returns when the node holds it durably.

    What was interrupted is gone on with: `kept` is the file that remembers it, and with `resume` the node is asked for
    each chunk first; where it has taken the session already, nothing else is needed, the files neither. A node that
    goes away meanwhile is waited for; what one refuses permanently is given up again, unless it may have been
    anchored. Raises `ClientError`, `BundleError`, `Refusal`.
    """
    owner = crypto.public_key(secret)
    if journal.owner != owner.hex():
        raise BundleError(f"the recording is of the owner {journal.owner}, not {owner.hex()}")
    if kept is not None:
        write_journal(kept, journal)
    if journal.manifest and _taken(client, journal, owner, crypto):
        return Recording(journal.session, journal.manifest.encode())
    try:
        key = session_key(secret, journal.session)
        chunks = _store_chunks(client, journal, key, owner, progress, resume)
    except (ClientError, BundleError) as error:
        # Files that are away, or have changed, may be put back where an earlier run began with them.
        over = not resume if isinstance(error, BundleError) else _refused_for_good(error)
        if over and not journal.manifest:
            _give_up(client, journal.session, owner, kept, resume)
        raise
    if not journal.manifest:
        journal = journal.signed(_manifest(journal, secret, chunks, crypto, _taker(client)))
        if kept is not None:
            write_journal(kept, journal)
    elif [chunk.id for chunk in _checked(journal, crypto).chunks] != [chunk["id"] for chunk in chunks]:
        raise BundleError("the files have changed since the manifest was signed")
    manifest = journal.manifest.encode()
    _insist(client, calls.anchor_session(manifest), AWAY_S)
    return Recording(journal.session, manifest)


def _taken(client: Client, journal: Journal, owner: bytes, crypto: Crypto) -> bool:
    """Whether a node has this very manifest, and its anchor has not failed: then nothing is left to be stored, and the
    files need not be there any more."""
    try:
        failed = client.send(calls.session_state(journal.session, owner)).status == "failed"
        held = client.send(calls.manifest(journal.session, owner))
        found = check_manifest(held, bytes.fromhex(journal.chain), crypto)
    except (ClientError, Refusal):
        return False
    return not failed and found.manifest == _checked(journal, crypto)


def _checked(journal: Journal, crypto: Crypto) -> Any:
    return check_manifest(journal.manifest.encode(), bytes.fromhex(journal.chain), crypto).manifest


def _store_chunks(
    client: Client, journal: Journal, key: bytes, owner: bytes, progress: Progress, resume: bool
) -> list[dict[str, Any]]:
    """Store every chunk that the node does not hold for this session; returns what the manifest says of all."""
    session, files = journal.session, journal.sources()
    total, done = bundle_bytes(index_of(files)), 0
    chunks: list[dict[str, Any]] = []
    for place, (data, last) in enumerate(pack(files, journal.chunk_bytes - OVERHEAD_BYTES, LEAST_BYTES)):
        sealed = seal(key, session, place, data, last)
        identity = chunk_id(sealed)
        # The first one in any case: that makes the session a young one, whose references nobody takes for dead.
        if not (resume and chunks and _holds(client, identity, session, owner)):
            _insist(client, calls.store_chunk(sealed, session, owner), AWAY_S if chunks else 0.0)
        chunks.append({"index": place, "size": len(sealed), "id": identity.hex()})
        done += len(data)
        progress(min(done, total), total)
    return chunks


def _taker(client: Client) -> bytes:
    """The node that this client talks with, where the chain pays relays (protocol section 5); empty where that is not
    so, or cannot be told: the session is anchored all the same."""
    try:
        if client.send(calls.chain_rules()).version < RELAY_RULES:
            return b""
        return bytes.fromhex(client.send(calls.chain_nodes()).here)
    except (ClientError, ValueError):
        return b""


def _named(relay: bytes, journal: Journal, secret: bytes, crypto: Crypto) -> dict[str, Any]:
    """The manifest's field by which an owner names the node that it hands the session to."""
    if not relay:
        return {}
    blank = RelayMandate(relay, crypto.public_key(secret), journal.session.bytes, bytes(64))
    signature = crypto.sign(secret, claim_message(bytes.fromhex(journal.chain), blank))
    return {"relay": {"node": relay.hex(), "signature": signature.hex()}}


def _manifest(
    journal: Journal, secret: bytes, chunks: list[dict[str, Any]], crypto: Crypto, relay: bytes = b""
) -> bytes:
    fields = {
        **_named(relay, journal, secret, crypto),
        "session": str(journal.session),
        "started_ms": journal.started_ms,
        "ended_ms": max(journal.started_ms, time.time_ns() // 1_000_000),
        "chunks": chunks,
        "codec": CODEC,
        "key_commitment": key_commitment(session_key(secret, journal.session), journal.session).hex(),
        "recorder_version": f"lucid {__version__}",
    }
    return sign_manifest(fields, secret, bytes.fromhex(journal.chain), crypto)


def _holds(client: Client, identity: bytes, session: UUID, owner: bytes) -> bool:
    try:
        return client.send(calls.holds_chunk(identity, session, owner))
    except ClientError as error:
        if error.status == 404:
            return False
        raise


def _insist(client: Client, call: Call[T], within_s: float) -> T:
    """What a node answers that may be away for a moment."""
    deadline, wait = time.monotonic() + within_s, POLL_S
    while True:
        try:
            return client.send(call)
        except ClientError as error:
            if error.status not in _AWAY or time.monotonic() + wait > deadline:
                raise
        time.sleep(wait)
        wait = min(2 * wait, 4.0)


def _refused_for_good(error: ClientError) -> bool:
    """Whether a node says that it will never take this recording. Nothing is said of it where a token or an address is
    wrong (401, 403, 404, 405, 421), nor by whoever has no time."""
    return error.status in _REFUSALS


def _give_up(client: Client, session: UUID, owner: bytes, kept: Path | None, resumed: bool) -> None:
    """Release what the node holds of a session, this run's or an earlier one's, and forget the recording once it has:
    until then it is what knows of these chunks. Those of an earlier run may be at another node."""
    try:
        client.send(calls.remove_session(session, owner))
    except ClientError as error:
        if error.status != 404 or resumed:
            return
    if kept is not None:
        kept.unlink(missing_ok=True)


prepare()  # recordings are stored in threads of their own, and what decodes must be there before they start
