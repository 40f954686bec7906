"""Catching up: asks peers for blocks or a snapshot, and takes what they answer (protocol section 8)."""

from __future__ import annotations

from typing import NamedTuple

from lucid.chain.blocks import Block
from lucid.chain.certificates import Certificate
from lucid.chain.codec import encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.votes import FINALIZE, NOTARIZE
from lucid.ledger.rowstore import Write
from lucid.ledger.state import ROW_TABLE, TREE_TABLE
from lucid.machines.chain import Chain
from lucid.machines.effects import REPAIR_TIMER, SYNC_TIMER, CaughtUp, Effects, Observe, Refused, Send, SetTimer, Store
from lucid.machines.limits import Limits
from lucid.machines.manager.download import Download
from lucid.machines.manager.snapshots import Snapshots
from lucid.machines.manager.sources import Rate, Sources
from lucid.machines.messages import (
    Blocks,
    BlocksRequest,
    CertificateMessage,
    Message,
    Part,
    PartRequest,
    SnapshotOffer,
    encode_message,
)
from lucid.machines.quota import SECOND_MS, Quota


class Question(NamedTuple):
    """A request that waits for its answer: whom it was put to, when, and from which height on."""

    number: int
    peer: bytes
    asked_ms: int
    height: int


class BlockPage(NamedTuple):
    """A page of blocks whose last one is vouched for: (hash, block) in order, new ones only.

    `last_height` is that of the last block, new or known; `length` counts both.
    """

    blocks: tuple[tuple[bytes, Block], ...]
    certificates: tuple[Certificate, ...]
    last_height: int
    length: int


class Slot:
    """Room for one question at a time: its own timer, and the peers whose last answer here was of no use."""

    def __init__(self, timer: str) -> None:
        self.timer = timer
        self.question: Question | None = None
        self.unsent: Message | None = None
        """The question itself while it waits for its moment: its peer was asked often enough in this second."""
        self.due_ms = 0
        self.useful_ms = 0
        self.useless: set[bytes] = set()
        self.from_root = False
        """Whether this row of questions began above the last final block, not above the best one."""

    def arm(self, at_ms: int) -> SetTimer:
        """Set this slot's timer."""
        self.due_ms = at_ms
        return SetTimer(self.timer, at_ms)


class Syncing:
    """The side of catching up that asks; `Serving` is the other.

    There are two slots for questions. One follows whoever is ahead, page by page or by a snapshot. The other repairs:
    it asks for certified blocks that have not come, of those who signed for them, whatever occupies the first.
    """

    def __init__(
        self, key: bytes, chain: Chain, snapshots: Snapshots, peers: tuple[bytes, ...], limits: Limits
    ) -> None:
        self.chain = chain
        self.limits = limits
        self.snapshots = snapshots
        self.sources = Sources(key, chain, peers, limits.slow_ms)
        self.following = Slot(SYNC_TIMER)
        self.repairing = Slot(REPAIR_TIMER)
        self._number = 0
        self._goal = 0
        self._repair_peer: bytes | None = None
        self._in_vain = False
        """Whether a repair asked all peers, none of them had anything, and no answer was of use since."""
        self._download: Download | None = None
        # A second of the peer's clock may touch two of this one's.
        self._posed = Quota(max(1, limits.requests_a_second // 2), SECOND_MS)

    # -- asking --------------------------------------------------------------------------------------------------

    def behind(self, now: int, peer: bytes) -> Effects:
        """A peer showed something that this node cannot follow: ask it for what lies between."""
        self._goal = max(self._goal, self._height + 1)
        return self._ask(now, self.following, peer)

    def on_peer_height(self, now: int, peer: bytes, height: int, epoch: int) -> Effects:
        """A peer said how far it is."""
        self.sources.claims[peer] = height
        tree = self.chain.tree
        # Two blocks are what is on its way at any time (section 4, a standing's answers).
        if height <= tree.root.height + self.limits.near_blocks and epoch <= tree.epoch:
            return []
        self._goal = max(self._goal, height)
        return self._ask(now, self.following, peer)

    def repair_from(self, now: int, peer: bytes | None) -> Effects:
        """A certified block is not at hand: ask for it soon, and first of all who certified it."""
        # Who brings a certificate most likely has its block, too.
        if peer is not None:
            self._repair_peer = peer
        if self.repairing.question is not None:
            return []
        return [self.repairing.arm(now + self.limits.repair_delay_ms)]

    def on_timer(self, now: int, timer: str) -> Effects:
        """No answer, or it is time to ask (again): ask the next peer, if there is still something to ask."""
        slot = self.following if timer == SYNC_TIMER else self.repairing
        if now < slot.due_ms:
            # It fired before it was set anew, and waited behind what did so; or the clock was put back.
            return [slot.arm(slot.due_ms)]
        if slot.unsent is not None:
            return self._send(now, slot, slot.unsent)
        question, slot.question = slot.question, None
        if question is not None:
            self.sources.rated(question.peer, Rate(0, now - question.asked_ms))
            return self.again(now, slot, question.peer)
        if not self._asks_for_more(slot) or not self.sources.peers:
            return []
        following = self.following
        if slot is self.repairing and following.question is not None:
            # The block may come with the pages on their way here, as long as those keep coming.
            until_ms = max(following.useful_ms, following.question.asked_ms) + self.limits.repair_patience_ms
            if now < until_ms and self._download is None:
                return [slot.arm(until_ms)]
        # For a repair, who certified the block held it.
        repairs = slot is self.repairing
        first = self.sources.first(self._repair_peer, slot.useless) if repairs else self.sources.peers[0]
        return self._ask(now, slot, first)

    def again(self, now: int, slot: Slot, peer: bytes) -> Effects:
        """A peer's answer was useless: ask another one, if there is still something to ask."""
        # Until all others were asked: who lies, or is slow, must not be asked in every second turn.
        slot.useless.add(peer)
        if slot is self.following:
            self._download = None
        return self._ask(now, slot, peer) if self._asks_for_more(slot) else []

    @property
    def asks(self) -> bool:
        """Whether a question waits for its answer."""
        return self.following.question is not None or self.repairing.question is not None

    @property
    def _height(self) -> int:
        """How far this node is: what is notarized needs no asking for, its finality comes with the next blocks."""
        return max(self.chain.tree.root.height, self.chain.tree.best.height)

    def _asks_for_more(self, slot: Slot) -> bool:
        wanted = bool(self.chain.tree.wanted)
        return wanted if slot is self.repairing else wanted or self._goal > self._height

    def _ask(self, now: int, slot: Slot, peer: bytes, height: int | None = None) -> Effects:
        """Put a question to a peer, or to a better one: who lies gets no second turn in a row, who is slow few."""
        if slot.question is not None:
            return []
        chosen = self.sources.choose(peer, slot.useless, signed=slot is self.repairing)
        # Nobody is left: all are given another try later, as what they lacked may have come to them.
        if chosen is None:
            slot.useless.clear()
            if slot is self.following:
                self._goal = 0
            else:
                self._in_vain = True
            return [slot.arm(now + self.limits.answer_ms)]
        if height is None:
            height = self._start()
            slot.from_root = height == self.chain.tree.root.height + 1
        return [*self._vouch(slot, chosen), *self._pose(now, slot, chosen, height)]

    def _vouch(self, slot: Slot, peer: bytes) -> Effects:
        """Send the certificates of the missing blocks along, once all were asked in vain.

        Who has such a block may not know that it is certified, and serves nothing that nobody vouches for.
        """
        if slot is not self.repairing or not self._in_vain:
            return []
        tree = self.chain.tree
        certificates = [tree.certificates.get((view, NOTARIZE)) for view in sorted(tree.wanted.values())]
        held = [each for each in certificates if each is not None][: self.limits.page_certificates]
        return [Send(peer, encode_message(CertificateMessage(each))) for each in held]

    def _start(self) -> int:
        """The height to begin at: above the last final block, or above the best one where pages lie between."""
        tree = self.chain.tree
        far = tree.best.height - tree.root.height >= self.limits.page_blocks
        return (tree.best.height if far else tree.root.height) + 1

    def _pose(self, now: int, slot: Slot, peer: bytes, height: int, part: int | None = None) -> Effects:
        self._number += 1
        slot.question = Question(self._number, peer, now, height)
        message: Message = BlocksRequest(request=self._number, height=height)
        if part is not None:
            message = PartRequest(request=self._number, height=height, part=part)
        return self._send(now, slot, message)

    def _send(self, now: int, slot: Slot, message: Message) -> Effects:
        """Send a slot's question, in the next second if its peer would refuse more of them in this one.

        What is refused is not answered: a snapshot of many small parts would be given up after each second's worth.
        """
        question = slot.question
        assert question is not None
        if not self._posed.spend(now, question.peer):
            slot.unsent = message
            return [slot.arm((now // SECOND_MS + 1) * SECOND_MS)]
        slot.unsent = None
        slot.question = question._replace(asked_ms=now)
        return [Send(question.peer, encode_message(message)), slot.arm(now + self.limits.answer_ms)]

    # -- answers -------------------------------------------------------------------------------------------------

    def answered(self, peer: bytes, number: int) -> tuple[Slot, Question]:
        """Take a message as the answer to a question that waits; raises `UNEXPECTED` if it is not."""
        for slot in (self.following, self.repairing):
            question = slot.question
            # By number and peer: a page costs megabytes and a judgment each block, so nobody sends one unasked (section
            # 8).
            if question is not None and (question.number, question.peer) == (number, peer):
                slot.question = slot.unsent = None
                return slot, question
        raise Refusal(Code.UNEXPECTED)

    def open_page(self, message: Blocks) -> BlockPage:
        """Check that a page hangs together; raises `SYNC_INVALID`."""
        tree = self.chain.tree
        if not message.blocks:
            return BlockPage((), (), 0, 0)
        # A certificate vouches for the last block, and each header for the one before it: no other one is verified.
        hashes = [block.header.hash for block in message.blocks]
        linked = all(block.header.parent == above for block, above in zip(message.blocks[1:], hashes[:-1], strict=True))
        same_epoch = all(block.header.epoch == tree.epoch for block in message.blocks)
        certificates = tuple([each for each in message.certificates if each.block == hashes[-1]])
        # Of one epoch, as one set of validators verifies the page; another epoch's is not known here yet (section 8).
        if not linked or not same_epoch or not certificates or not all(map(self.chain.verify, certificates)):
            raise Refusal(Code.SYNC_INVALID, "page is not vouched for")
        # A proposal's votes certify nothing, and a skip names no block.
        if any(each.kind not in (NOTARIZE, FINALIZE) for each in certificates):
            raise Refusal(Code.SYNC_INVALID, "certificate of another kind")
        new = [
            (hash_, block)
            for hash_, block in zip(hashes, message.blocks, strict=True)
            if block.header.height > tree.root.height and hash_ not in tree.nodes
        ]
        return BlockPage(tuple(new), certificates, message.blocks[-1].header.height, len(message.blocks))

    def page_done(
        self, now: int, slot: Slot, question: Question, page: BlockPage, useful: bool
    ) -> tuple[Effects, bool]:
        """After a page: ask for the next one while the peer has more; the flag says that nothing more is asked."""
        begun_above = not slot.from_root and question.height > self.chain.tree.root.height + 1
        if not page.length and begun_above and self.chain.tree.wanted:
            # Nothing is above the best block: what is certified and not here is no higher, so the chains part below.
            # What came before stands, and the engine has to hear of it however the rest goes.
            return self.page_hangs(now, slot, question), True
        peer = question.peer
        took_ms = max(now - question.asked_ms, 1)
        full = page.length == self.limits.page_blocks
        short = not full and self._goal > self._height and self._could_go_on(page)
        self.sources.rated(peer, Rate(page.length * 1_000_000_000 // took_ms, took_ms, short))
        # Known blocks up to the best one are no reason to doubt the peer: what is new lies above them.
        known = not useful and question.height <= page.last_height <= self._height
        if not useful and not known:
            return self.again(now, slot, peer), True
        if useful:
            self._in_vain = self._in_vain and slot is not self.repairing
            slot.useless.discard(peer)
            slot.useful_ms = now
        effects: Effects = []
        if page.blocks:
            effects.append(Observe(CaughtUp(page.last_height, False)))
        if self._goal > self._height or full or known or (slot is self.repairing and self.chain.tree.wanted):
            return effects + self._ask(now, slot, peer, max(page.last_height, self.chain.tree.root.height) + 1), False
        return effects, True

    def _could_go_on(self, page: BlockPage) -> bool:
        """Whether nothing but its peer ended a page that is not full: not its bytes, nor the end of the epoch."""
        if sum(len(encode(block)) for _, block in page.blocks) >= self.limits.page_bytes:
            return False
        last = self.chain.tree.nodes.get(page.certificates[0].block) if page.certificates else None
        return last is None or not last.closing

    def passes_over(self, message: Blocks, question: Question) -> bool:
        """Whether a page that was asked for above the best block is of the next epoch: the closing of this one, which
        is held but not final here, or another in its place, lies before it."""
        tree = self.chain.tree
        later = bool(message.blocks) and message.blocks[0].header.epoch > tree.epoch
        return later and question.height > tree.root.height + 1

    def page_hangs(self, now: int, slot: Slot, question: Question) -> Effects:
        """A page stands on a block that is not at hand: it parted from this node's best chain below its start."""
        # Once in a row of questions: a peer that says it again and again would hold this node back forever.
        if not slot.from_root and question.height > self.chain.tree.root.height + 1:
            slot.from_root = True
            return self._ask(now, slot, question.peer, self.chain.tree.root.height + 1)
        return [Observe(Refused(Code.BLOCK_PARENT)), *self.again(now, slot, question.peer)]

    def on_snapshot_offer(self, now: int, peer: bytes, message: SnapshotOffer) -> tuple[Effects, bool]:
        """A snapshot instead of blocks, or in place of an older one: check its certificates and fetch what is not here.

        The flag says that nothing was missing, and this node starts over from it.
        """
        slot, _ = self.answered(peer, message.request)
        # A repair asks for a block or two: who offers a snapshot says that this node is far behind, so it follows
        # instead.
        if slot is self.repairing:
            return [*self.again(now, slot, peer), *self.behind(now, peer)], False
        try:
            self._check_ahead(message)
            download = Download(message, self.chain.genesis, self.chain.crypto, now, self._download)
        except Refusal as refusal:
            return [Observe(Refused(refusal.code)), *self.again(now, slot, peer)], False
        held = self.snapshots.held()
        download.keep(held)
        self._download = download
        self.snapshots.expect(download)
        stale = self.snapshots.forget(held)
        effects, installed = self._go_on(now, slot, peer, [])
        return [*([Store(tuple(stale))] if stale else []), *effects], installed

    def on_part(self, now: int, peer: bytes, message: Part) -> tuple[Effects, bool]:
        """One more part; the flag says that it was the last and this node starts over from the snapshot."""
        slot, _ = self.answered(peer, message.request)
        try:
            # It was given up while the part was on its way: of which offer it is nobody knows any more.
            if self._download is None:
                raise Refusal(Code.UNEXPECTED)
            download = self._download
            # This node went on meanwhile, and what is final stays final.
            self._check_ahead(download.offer)
            write = download.add(message, now)
        except Refusal as refusal:
            return [Observe(Refused(refusal.code)), *self.again(now, slot, peer)], False
        return self._go_on(now, slot, peer, [write])

    def _go_on(self, now: int, slot: Slot, peer: bytes, came: list[Write]) -> tuple[Effects, bool]:
        """Store what came of a snapshot and ask for the next part; after the last one start over from it."""
        download = self._download
        assert download is not None
        if not download.complete:
            asked = self._pose(now, self.following, peer, download.height, download.next_part)
            return [*([Store(tuple(came))] if came else []), *asked], False
        ledger = download.ledger(self.chain.reader, came)
        self._download = None
        # Whoever has installed a snapshot can serve it.
        writes: list[Write] = [
            *self.snapshots.replace_by(download.index, download.hashes, self.snapshots.held()),
            *came,
        ]
        # In the same write as the new ones: a crash in between would leave rows of two ledgers.
        for table in (ROW_TABLE, TREE_TABLE):
            writes += [(table, key, None) for key, _ in self.chain.reader.scan(table)]
        writes += self.chain.install(ledger, download.block, download.offer)
        slot.useless.discard(peer)
        effects: Effects = [Store(tuple(writes)), Observe(CaughtUp(download.height, True))]
        return effects + self._ask(now, slot, peer), True

    def _check_ahead(self, offer: SnapshotOffer) -> None:
        # What is final is never given up, whatever a peer offers (rule 6).
        if offer.block.header.height <= self.chain.tree.root.height:
            raise Refusal(Code.SNAPSHOT_INVALID, "older than what is held")
