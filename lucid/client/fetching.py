"""Getting a session's files back, from a node that may lie: what `lucid fetch` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

from lucid.chain.codec import prepare
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.manifests import Manifest, check_manifest
from lucid.chain.receipts import verify_receipt
from lucid.chain.transactions import SessionAnchor
from lucid.client import calls
from lucid.client.bundle import Unpacker
from lucid.client.calls import ClientError, T
from lucid.client.http import Client
from lucid.client.sealing import OVERHEAD_BYTES, check_key, unseal, unseal_first


def proven_manifest(
    client: Client, session: UUID, owner: bytes, genesis: Genesis, crypto: Crypto, checkpoint: bytes = b""
) -> Manifest:
    """What the chain proves of a session: its manifest, anchored and final. `owner` may be empty: whose it is stands
    in what is returned, for the caller to judge. `checkpoint` is a later final block's hash, if the caller knows one.

    Raises `Refusal` for whatever does not hold, and `ClientError`.
    """
    data = client.send(calls.receipt(session, owner, checkpoint))
    verified = verify_receipt(data, genesis, crypto, checkpoint or None)
    anchor = verified.transaction.payload
    if not isinstance(anchor, SessionAnchor) or anchor.session != session.bytes:
        raise Refusal(Code.RECEIPT_OTHER, "it is of another session")
    if owner and anchor.owner != owner:
        raise Refusal(Code.RECEIPT_OTHER, f"this session's owner is {anchor.owner.hex()}, not {owner.hex()}")
    if verified.manifest is not None:
        return verified.manifest
    checked = check_manifest(client.send(calls.manifest(session, anchor.owner)), genesis.chain_id, crypto)
    if checked.anchor != anchor:
        raise Refusal(Code.MANIFEST, "it is not the one that was anchored")
    return checked.manifest


def fetch_files(
    clients: Sequence[Client],
    manifest: Manifest,
    key: bytes,
    folder: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
    hidden: bool = False,
) -> list[Path]:
    """Get the files of a session into a folder, which is made; returns them. `manifest` is proven, `key` the session's.

    Each chunk comes from the first of the nodes that has it, one that just had one before the others. Every byte is
    checked against the manifest. If it fails, nothing is left. Names that a system would act on are written otherwise
    (`lucid.client.names`), with `hidden` those that begin with a dot are not. Raises `ClientError`, `Unsealable`,
    `BundleError`.
    """
    session, done = UUID(manifest.session), 0
    check_key(key, session, manifest.key_commitment)
    room = manifest.total_bytes - OVERHEAD_BYTES * manifest.chunk_count
    last = manifest.chunk_count - 1
    order = list(clients)
    with _made(folder), Unpacker(folder, room, hidden) as unpacker:
        for chunk in manifest.chunks:
            sealed = _chunk(order, bytes.fromhex(chunk.id), chunk.size)
            if manifest.key_commitment is None:
                data = unseal_first(key, session, chunk.index, sealed)
            else:
                data = unseal(key, session, chunk.index, sealed, chunk.index == last)
            unpacker.feed(data)
            done += chunk.size
            progress(done, manifest.total_bytes)
        return unpacker.finish()


def first_answer(clients: Sequence[Client], ask: Callable[[Client], T]) -> T:
    """What the first node says that can answer; raises the last one's `ClientError` or `Refusal`."""
    for client in clients[:-1]:
        with suppress(ClientError, Refusal):
            return ask(client)
    return ask(clients[-1])


def _chunk(order: list[Client], identity: bytes, size: int) -> bytes:
    """A chunk of the first node that has it, which comes first from then on."""

    def ask(client: Client) -> bytes:
        data = client.send(calls.chunk(identity, size))
        order.remove(client)
        order.insert(0, client)
        return data

    return first_answer(tuple(order), ask)


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """A folder that is there, and is gone again if the block fails and made it."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for each in missing:
            with suppress(OSError):
                each.rmdir()
        raise


prepare()  # who fetches recordings does it in threads of their own
