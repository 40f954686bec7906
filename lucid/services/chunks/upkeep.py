"""How the data chain keeps what it was given, as its operator sees it: figures, and conditions with a remedy."""

from __future__ import annotations

from lucid.api.answers import DataStatus, ReplicationStatus
from lucid.services.chunks.capacity import Capacity
from lucid.services.chunks.census import Census
from lucid.services.chunks.chunks import Chunks
from lucid.services.chunks.holdings import Holdings
from lucid.services.chunks.replication import Replication
from lucid.services.chunks.scrub import Scrub
from lucid.services.process.space import Space
from lucid.services.web.health import Condition
from lucid.services.web.web import Web
from lucid.storage.durable import DurableStore
from lucid.storage.findings import Finding


class Upkeep:
    """The figures and conditions of what looks after chunks."""

    def __init__(
        self,
        *,
        chunks: Chunks,
        store: DurableStore,
        space: Space,
        scrub: Scrub,
        replication: Replication,
        holdings: Holdings,
        capacity: Capacity,
        bound_s: int,
    ) -> None:
        """`bound_s` is for how long a chunk may lack copies before that is told."""
        self._chunks = chunks
        self._space = space
        self._scrub = scrub
        self._replication = replication
        self._holdings = holdings
        self._capacity = capacity
        self._bound_s = bound_s
        self.census = Census(chunks, store, scrub, replication)

    def register(self, web: Web) -> None:
        """Add them to a service."""
        web.checks += [self._faulty, self._late, self._lacking, lambda: self._scrub.trouble]
        counts, status = self._chunks.faults.counts, self._scrub.status
        web.gauge("chunks", "Chunks that are held, or should be.", lambda: self._chunks.inventory.count)
        web.gauge("chunks_missing", "Chunks whose files are gone.", lambda: counts[Finding.MISSING])
        web.gauge("chunks_corrupted", "Chunks whose files were not theirs.", lambda: counts[Finding.CORRUPTED])
        web.gauge("scrub_chunks", "Chunks that the scrubber read.", lambda: status().chunks_read)
        web.gauge("scrub_bytes", "Bytes that the scrubber read.", lambda: status().bytes_read)
        web.gauge("scrub_oldest_ms", "When the chunk was read that was not for longest.", self._oldest)
        copies = self._replication
        web.gauge("chunks_lacking_copies", "Chunks that lack a copy at another node.", lambda: len(copies.lacking))
        web.gauge("chunks_pending", "Chunks that wait to be fetched from other nodes.", lambda: copies.wishes)
        web.gauge("chunks_fetched", "Chunks fetched from other nodes since the start.", lambda: copies.fetched)
        web.gauge("chunks_repaired", "Of these, what was missing or corrupted here.", lambda: copies.repaired)
        web.gauge("placement_weight", "What this node weighs as chunks are placed.", self._weight)
        web.gauge("holdings_said", "Times it said on the chain what is held here.", lambda: self._holdings.said)
        web.gauge("replica_bytes_served", "Bytes that other nodes fetched here.", lambda: copies.served)

    def status(self) -> DataStatus:
        """What is held, and how it is looked after."""
        counts = self._chunks.faults.counts
        return DataStatus(
            chunks=self._chunks.inventory.count,
            total_bytes=self._space.used,
            missing=counts[Finding.MISSING],
            corrupted=counts[Finding.CORRUPTED],
            quarantined=self._chunks.inventory.quarantined,
            scrub=self._scrub.status(),
            replication=self._copies(),
            room_bytes=self._space.room,
            counts=self.census.ask(),
        )

    def _copies(self) -> ReplicationStatus:
        copies, place = self._replication, self._replication.own_place
        nodes = len(copies.members)
        return ReplicationStatus(
            copies=copies.copies_wanted,
            nodes=nodes,
            connected=len(copies.connected),
            pending=copies.wishes,
            lacking=len(copies.lacking),
            lacking_s=int(copies.lacking_s()),
            fetched=copies.fetched,
            repaired=copies.repaired,
            tickets=self._capacity.tickets,
            weight=self._weight(),
            total_weight=0 if place is None else place.total,
        )

    def _weight(self) -> int:
        place = self._replication.own_place
        return 0 if place is None else place.weight

    def _oldest(self) -> int:
        return self._scrub.status().all_read_since_ms

    def _faulty(self) -> Condition | None:
        counts = self._chunks.faults.counts
        if not any(counts.values()):
            return None
        return Condition(
            "chunks lost",
            f"{counts[Finding.MISSING]} chunks are missing and {counts[Finding.CORRUPTED]} are corrupted here",
            "`lucid data ls --status corrupted` (or missing) names them: store them again, and look at the disk",
        )

    def _lacking(self) -> Condition | None:
        lacking_s = self._replication.lacking_s()
        if lacking_s <= self._bound_s:
            return None
        copies = self._replication.copies_wanted
        return Condition(
            "under-replicated",
            f"{len(self._replication.lacking)} chunks have had fewer than {copies} copies for {int(lacking_s)} s",
            "start the nodes that are down, look at port 8088 between them, and at room on their disks; `lucid chain "
            "retire NODE` takes one out that does not come back",
        )

    def _late(self) -> Condition | None:
        if not self._scrub.late:
            return None
        return Condition(
            "scrub late",
            "some chunks were not read again within the period: rot in them would not have been found",
            "end a pause (`lucid data scrub start`), lower scrub_tranquility or raise scrub_period_s",
        )
