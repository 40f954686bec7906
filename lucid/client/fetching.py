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
from lucid.chain.manifests import ChunkEntry, Manifest, check_manifest
from lucid.chain.receipts import verify_receipt
from lucid.chain.transactions import SessionAnchor
from lucid.client import calls
from lucid.client.calls import ClientError, T
from lucid.client.downloading import SessionDownload
from lucid.client.errors import NameTaken
from lucid.client.http import Client
from lucid.client.partial import PartialFile
from lucid.client.sealing import OVERHEAD_BYTES, check_key, unseal, unseal_first
from lucid.client.unpacking import Unpacker


def proven_manifest(
    client: Client, session: UUID, owner: bytes, genesis: Genesis, crypto: Crypto, checkpoint: bytes = b""
) -> Manifest:
    """What the chain proves of a session: its manifest, anchored and final. `owner` may be empty: whose it is stands
    in what is returned, for the caller to judge. `checkpoint` is a later final block's hash, if the caller knows one.

    Raises `Refusal` for whatever does not hold, and `ClientError`.
    """
    data = client.send(calls.receipt(session, owner, checkpoint))
    anchor, manifest = _anchored(data, session, owner, genesis, crypto, checkpoint)
    if manifest is not None:
        return manifest
    checked = check_manifest(client.send(calls.manifest(session, anchor.owner)), genesis.chain_id, crypto)
    if checked.anchor != anchor:
        raise Refusal(Code.MANIFEST, "it is not the one that was anchored")
    return checked.manifest


def manifest_of(
    receipt: bytes, session: UUID, owner: bytes, genesis: Genesis, crypto: Crypto, checkpoint: bytes = b""
) -> Manifest:
    """The same from a receipt that was kept: no node need have the manifest. Raises `Refusal`."""
    _, manifest = _anchored(receipt, session, owner, genesis, crypto, checkpoint)
    if manifest is None:
        raise Refusal(Code.MANIFEST, "this receipt contains no manifest")
    return manifest


def _anchored(
    receipt: bytes, session: UUID, owner: bytes, genesis: Genesis, crypto: Crypto, checkpoint: bytes
) -> tuple[SessionAnchor, Manifest | None]:
    """What a receipt proves of this session of this owner. Raises `Refusal`."""
    verified = verify_receipt(receipt, genesis, crypto, checkpoint or None)
    anchor = verified.transaction.payload
    if not isinstance(anchor, SessionAnchor) or anchor.session != session.bytes:
        raise Refusal(Code.RECEIPT_OTHER, "it is of another session")
    if owner and anchor.owner != owner:
        raise Refusal(Code.RECEIPT_OTHER, f"this session's owner is {anchor.owner.hex()}, not {owner.hex()}")
    return anchor, verified.manifest


def fetch_files(
    clients: Sequence[Client],
    manifest: Manifest,
    key: bytes,
    folder: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
    hidden: bool = False,
) -> list[Path]:
    """Get the files of a session into a folder, which is made; returns them. `manifest` is proven, `key` the session's.

    Chunks come from all nodes at once into a file in the folder (`partial_file`), which is gone on with if it is there,
    and goes when all is whole. Every byte is checked against the manifest. If a node fails, what came is kept there;
    if something does not hold, nothing is left. Names that a system would act on are written otherwise
    (`lucid.client.names`), with `hidden` those that begin with a dot are not. Raises `ClientError`, `Unsealable`,
    `BundleError`.
    """
    session = UUID(manifest.session)
    check_key(key, session, manifest.key_commitment)
    with _made(folder), PartialFile(partial_file(folder, session), manifest) as partial:
        resumed = _download(clients, manifest, partial, progress)
        try:
            return _unpack(manifest, key, partial, folder, hidden, resumed)
        except (NameTaken, OSError, KeyboardInterrupt):
            partial.kept = True  # what came is sound
            raise


def _unpack(
    manifest: Manifest, key: bytes, partial: PartialFile, folder: Path, hidden: bool, resumed: bool
) -> list[Path]:
    session, last = UUID(manifest.session), manifest.chunk_count - 1
    room = manifest.total_bytes - OVERHEAD_BYTES * manifest.chunk_count
    # While the partial file is held, nobody else writes what is called by its session.
    with Unpacker(folder, room, hidden, f".lucid-{session}", resumed) as unpacker:
        for chunk in manifest.chunks:
            sealed = partial.read(chunk.index)
            if manifest.key_commitment is None:
                data = unseal_first(key, session, chunk.index, sealed)
            else:
                data = unseal(key, session, chunk.index, sealed, chunk.index == last)
            unpacker.feed(data)
        return unpacker.finish()


def partial_file(folder: Path, session: UUID) -> Path:
    """Where the chunks of a session are kept until all are there."""
    return folder / f"{session}.partial"


def _download(
    clients: Sequence[Client], manifest: Manifest, partial: PartialFile, progress: Callable[[int, int], None]
) -> bool:
    """Get the chunks that a partial file lacks; it is kept if that fails and something has come. Returns whether
    something was there before."""
    done = 0

    def more(size: int) -> None:
        nonlocal done
        done += size
        progress(done, manifest.total_bytes)

    def take(chunk: ChunkEntry, data: bytes) -> None:
        partial.write(chunk.index, data)
        more(chunk.size)

    try:
        partial.look(more)
        resumed = bool(partial.held)
        SessionDownload((chunk for chunk in manifest.chunks if chunk.index not in partial.held), take).run(clients)
    except BaseException:
        partial.kept = bool(partial.held)
        raise
    return resumed


def first_answer(clients: Sequence[Client], ask: Callable[[Client], T]) -> T:
    """What the first node says that can answer; raises the last one's `ClientError` or `Refusal`."""
    for client in clients[:-1]:
        with suppress(ClientError, Refusal):
            return ask(client)
    return ask(clients[-1])


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
