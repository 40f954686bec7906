"""The data chain's service (port 8087): stores and returns encrypted chunks. Run it with `python -m`."""

from __future__ import annotations

from pathlib import Path

import trio

from lucid.api.services import DATA
from lucid.services.chunks.capacity import Capacity
from lucid.services.chunks.chunkroutes import ChunkRoutes
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.deadreferences import DeadReferences
from lucid.services.chunks.holdings import Holdings
from lucid.services.chunks.knownsessions import Asked
from lucid.services.chunks.manifestcopies import ManifestCopies
from lucid.services.chunks.proving import Proving
from lucid.services.chunks.relaying import Relaying
from lucid.services.chunks.replication import Replication
from lucid.services.chunks.scrub import Pace, Scrub
from lucid.services.chunks.sessionreferences import SessionReferences
from lucid.services.chunks.sessionroutes import SessionRoutes
from lucid.services.chunks.upkeep import Upkeep
from lucid.services.chunks.upkeeproutes import UpkeepRoutes
from lucid.services.process.config import Config
from lucid.services.process.running import main
from lucid.services.process.service import Service
from lucid.services.process.sibling import Sibling
from lucid.services.process.space import Space, nearest
from lucid.services.web.health import Condition
from lucid.services.web.lasting import Lasting
from lucid.storage.chunkfiles import ChunkFolder


class DataService(Service):
    """The data chain: stores and returns encrypted chunks."""

    listed = DATA

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.space = Space(self._incoming, self.ballast, config.chunk_quota_bytes, config.disk_reserve_bytes)
        try:
            self.chunks = Chunks(self._folder, self.store, self.space)
        except BaseException:
            self.close()
            raise
        self.references = SessionReferences(self.store, self.chunks)
        self.web.checks += [self.space.condition, self._quarantine]
        pace = Pace(config.scrub_period_s * 1_000, config.scrub_tranquility)
        self.scrub = Scrub(self.chunks, self.store, pace)
        self._manager = Sibling("manager", config.manager_url, config)
        rate = config.replication_bytes_per_s
        self.replication = Replication(self.key, self.chunks, self.store, self._manager, rate)
        self._engine = Sibling("engine", config.engine_url, config)
        self._anchoring = Sibling("anchoring", config.anchoring_url, config)
        self.holdings = Holdings(
            places=self.replication,
            store=self.store,
            manager=self._manager,
            engine=self._engine,
            anchoring=self._anchoring,
            send=self.replication.send,
        )
        self.manifests = self._copies_manifests()
        self.holdings.on_list = self.manifests.note
        self.relaying = self._relays()
        self.proving = Proving(
            rules=self.replication,
            chunks=self.chunks,
            lists=self.holdings.lists.stored,
            store=self.store,
            manager=self._manager,
            engine=self._engine,
            awaiting_receipt=self.relaying.awaiting_receipt,
        )
        self.capacity = Capacity(self.replication, self.space, self._engine, config.capacity_tickets)
        self._lasting = Lasting(self.store)
        self.upkeep = self._looks_after(config.replication_bound_s)
        self._register()
        self._measure()

    def _looks_after(self, bound_s: int) -> Upkeep:
        return Upkeep(
            chunks=self.chunks,
            store=self.store,
            space=self.space,
            scrub=self.scrub,
            replication=self.replication,
            holdings=self.holdings,
            capacity=self.capacity,
            bound_s=bound_s,
        )

    def _copies_manifests(self) -> ManifestCopies:
        return ManifestCopies(
            places=self.replication,
            store=self.store,
            lists=self.holdings.lists.stored,
            copies=self.holdings.copies,
            anchoring=self._anchoring,
            send=self.replication.send,
        )

    def _relays(self) -> Relaying:
        return Relaying(
            key=self.key,
            rules=self.replication,
            lists=self.holdings.lists.stored,
            origins=self.replication.origins,
            store=self.store,
            manager=self._manager,
            engine=self._engine,
            anchoring=self._anchoring,
        )

    def _register(self) -> None:
        """The routes, in the rooms that answer them."""
        self.upkeep.register(self.web)
        UpkeepRoutes(
            upkeep=self.upkeep,
            chunks=self.chunks,
            store=self.store,
            scrub=self.scrub,
            replication=self.replication,
            copies=self.holdings.copies,
            lasting=self._lasting,
        ).register(self.web)
        ChunkRoutes(self, self.chunks, self.space, self.replication, self._lasting).register(self.web)
        SessionRoutes(
            genesis=self.genesis,
            crypto=self.crypto,
            references=self.references,
            lists=self.holdings.lists,
            manifests=self.manifests,
            replication=self.replication,
            lasting=self._lasting,
        ).register(self.web)

    def _measure(self) -> None:
        """Show what changes."""
        gauge = self.web.gauge
        gauge("chunks_damaged", "Reads of damaged chunks since the start.", lambda: self.chunks.reader.damaged)
        gauge("chunks_quarantined", "Files set aside that were not what their names said.", self._quarantined)
        gauge("chunk_bytes", "Bytes of the chunks that are held.", lambda: self.space.used)
        gauge("chunk_room_bytes", "Bytes that chunks may still take.", lambda: self.space.room)
        gauge("disk_free_bytes", "Bytes free on the disk.", lambda: self.space.free)
        gauge("disk_reserve_bytes", "Bytes of it that chunks leave free.", lambda: self.space.reserve)
        gauge("storage_proofs", "Storage proofs handed in since the start.", lambda: self.proving.proven)
        gauge("manifests_copied", "Manifests taken from other nodes since the start.", lambda: self.manifests.copied)
        gauge("relay_receipts", "Receipts for what other nodes brought, handed in since the start.", self._receipts)

    @property
    def _folder(self) -> Path:
        return self.config.data_dir / "chunks"

    @property
    def _incoming(self) -> Path:
        """Where chunks come in: the disk of the chunks, which need not be that of the store."""
        return ChunkFolder(self._folder).incoming

    def keeps_reserve(self, folder: Path) -> bool:
        """See `Service`. What is kept for the chain is kept where the chunks are."""
        return nearest(self._incoming, self.config.data_dir).stat().st_dev == folder.stat().st_dev

    def may_begin_anew(self, used: bool) -> bool:
        """See `Service`. An empty store would know none of the chunks that are there."""
        return next(ChunkFolder(self._folder).chunks(), None) is None

    def _receipts(self) -> int:
        return self.relaying.receipts.signed

    def _quarantined(self) -> int:
        return self.chunks.inventory.quarantined

    def _quarantine(self) -> Condition | None:
        count = self.chunks.inventory.quarantined
        if not count:
            return None
        return Condition(
            "quarantine",
            f"{count} files in the chunk folder did not have the bytes of their names and are set aside",
            "look at them in the folder quarantine beside the chunks, and remove them",
        )

    async def work(self, task_status: trio.TaskStatus[None]) -> None:
        """See `Service`."""
        async with self._manager, self._engine, self._anchoring, trio.open_nursery() as nursery:
            await nursery.start(self._lasting.run)
            nursery.start_soon(self.replication.run)
            nursery.start_soon(self.holdings.run)
            nursery.start_soon(self.manifests.run)
            nursery.start_soon(self.proving.run)
            nursery.start_soon(self.relaying.run)
            nursery.start_soon(self.capacity.run)
            nursery.start_soon(self.space.run)
            nursery.start_soon(self.chunks.run)
            nursery.start_soon(self.chunks.index.run)
            nursery.start_soon(self.chunks.adoption.watch_quarantine)
            nursery.start_soon(self._free_dead)
            nursery.start_soon(self.scrub.run)
            nursery.start_soon(self.upkeep.census.run)
            task_status.started()

    async def _free_dead(self) -> None:
        await DeadReferences(self.references, Asked(self._manager, self._anchoring).known).run()


if __name__ == "__main__":
    main(DataService)
