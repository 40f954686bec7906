"""The chain as one node knows it: adds blocks and certificates, makes blocks final, says what to store (section 4).

Every method that changes a fact returns the writes that make it durable; the manager puts them before whatever
depends on the fact.
"""

from __future__ import annotations

from lucid.chain.blocks import Block
from lucid.chain.certificates import Certificate, verify_certificate
from lucid.chain.closings import EpochClosing
from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.validators import ValidatorSet
from lucid.chain.versions import RULES_KNOWN, ChainRules
from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP
from lucid.ledger.rows import HEAD_KEY, AdministrationEntry
from lucid.ledger.rowstore import Reader, RowLost, Write
from lucid.ledger.state import ROW_TABLE, Ledger, stored_ledger
from lucid.ledger.validation import Validator
from lucid.machines.effects import Halt, ViewContext
from lucid.machines.forktree import ForkNode, ForkTree
from lucid.machines.limits import DEFAULT_LIMITS, Limits
from lucid.machines.messages import SnapshotOffer

BLOCK_TABLE = "block"
UNFINAL_TABLE = "unfinal"
HEIGHT_TABLE = "height"
FINALITY_TABLE = "finality"
CLOSING_TABLE = "closing"
CERTIFICATE_TABLE = "certificate"
ROOT_TABLE = "root"
ROOT_KEY = b"root"


class Chain:
    """Blocks, certificates and ledgers from the last final state up."""

    def __init__(
        self,
        genesis: Genesis,
        crypto: Crypto,
        reader: Reader,
        limits: Limits = DEFAULT_LIMITS,
        validator: Validator | None = None,
        rules_known: int = RULES_KNOWN,
    ) -> None:
        self.rules_known = rules_known
        self.genesis = genesis
        self.parameters = genesis.parameters
        self.chain_id = genesis.chain_id
        self.crypto = crypto
        self.reader = reader
        self.limits = limits
        self.validator = validator or Validator(genesis, crypto)
        self.final_certificate: Certificate | None = None
        self.pending_final: Certificate | None = None
        self.flushed: list[Ledger] = []
        self.recovered: list[Write] = []
        self._asked: tuple[ForkNode | None, bool] = (None, False)
        self.tree = self._load()

    @property
    def validators(self) -> ValidatorSet:
        """The validators of the current epoch."""
        ledger = self.tree.root.ledger
        return ledger.next_validators if self._at_opening() else ledger.validators

    @property
    def rules(self) -> ChainRules:
        """The rules in force in the current epoch."""
        core = self.tree.root.ledger.core
        return core.rules.opening(core.head.height + 1) if self._at_opening() else core.rules

    @property
    def administration(self) -> AdministrationEntry | None:
        """Who decides in the current epoch and after it; None while these are whom the genesis document names."""
        decided = self.tree.root.ledger.core.administration
        return decided.opening() if decided is not None and self._at_opening() else decided

    @property
    def outdated(self) -> bool:
        """Whether this release does not know the rules of the current epoch. Nothing in it is judged or signed then."""
        # Asked before every event, and it follows from the root alone, which changes with each final block.
        root = self.tree.root
        asked, answer = self._asked
        if asked is not root:
            answer = self.rules.version > self.rules_known
            self._asked = root, answer
        return answer

    def settle(self) -> None:
        """Let go of ledgers whose rows the store now holds; called before each event."""
        for ledger in self.flushed:
            ledger.settle()
        self.flushed = []

    def verify(self, certificate: Certificate) -> bool:
        """Whether a certificate of the current epoch holds."""
        return certificate.epoch == self.tree.epoch and verify_certificate(
            certificate, self.chain_id, self.validators, self.crypto
        )

    def judge(self, block: Block, hash_: bytes) -> ForkNode:
        """Check a block whose parent is in the tree; raises `Refusal` naming the rule it breaks."""
        # By the rules that it knows it could take what they forbid, or refuse what they allow (section 12, Rules).
        if self.outdated:
            raise Refusal(Code.RULES_UNKNOWN)
        parent = self.tree.nodes.get(block.header.parent)
        if parent is None:
            raise Refusal(Code.BLOCK_PARENT)
        # Rule 2 of a block: the next epoch's validators follow from a closing block that is final (section 6).
        if parent.closing and parent is not self.tree.root:
            raise Refusal(Code.BLOCK_CLOSED, "parent closes its epoch and is not final")
        ledger = self.validator.judge(block, parent.ledger, parent.hash, parent.turn)
        return ForkNode(hash_, block, parent, ledger, self.parameters)

    def add(self, node: ForkNode) -> list[Write]:
        """Add a judged block to the tree; of too many that nobody certified, the one of the lowest view goes.

        What is certified is never refused nor dropped, whatever its number: the chain would stand still forever.
        """
        assert node.block is not None
        self.tree.add(node)
        # Durable before this node votes for it: a quorum that voted and lost the block could not go on.
        writes: list[Write] = [(BLOCK_TABLE, node.hash, encode(node.block)), (UNFINAL_TABLE, node.hash, b"")]
        if len(self.tree.uncertified) > self.limits.max_uncertified:
            gone = self.tree.drop_uncertified()
            writes += [(BLOCK_TABLE, gone.hash, None), (UNFINAL_TABLE, gone.hash, None)]
        return writes

    def record(self, certificate: Certificate) -> list[Write]:
        """Keep a verified notarization or skip."""
        self.tree.record(certificate)
        return [(CERTIFICATE_TABLE, subject_key(certificate.view, certificate.kind), encode(certificate))]

    def finalize(self, node: ForkNode, certificate: Certificate) -> tuple[list[ForkNode], list[Write]]:
        """Make a block and its ancestors final by a verified certificate; returns them in order, and the writes."""
        tree = self.tree
        path = tree.path(node)
        assert path and path[-1] is node, "final blocks never conflict while fewer than a third are Byzantine"
        writes: list[Write] = []
        for each in path:
            writes += each.ledger.flush()
            writes.append((HEIGHT_TABLE, height_key(each.height), each.hash))
            writes.append((UNFINAL_TABLE, each.hash, None))
            self.flushed.append(each.ledger)
        # The root's rows stay in memory until the store holds them: reads of this very step go through it.
        dropped, stale = tree.advance(node)
        for each in dropped:
            if each not in path:
                writes += [(BLOCK_TABLE, each.hash, None), (UNFINAL_TABLE, each.hash, None)]
        tree.certify(node, certificate.view)
        # The closing is what receipts and snapshots verify all later epochs by, so it is kept forever (section 7).
        if node.closing:
            stale += tree.open_epoch(tree.epoch + 1, certificate)
            writes.append((CLOSING_TABLE, height_key(certificate.epoch), encode(self._closing(node, certificate))))
        writes += [(CERTIFICATE_TABLE, subject_key(*subject), None) for subject in stale]
        writes.append((FINALITY_TABLE, height_key(node.height), encode(certificate)))
        writes.append((ROOT_TABLE, ROOT_KEY, node.hash))
        self.final_certificate = certificate
        if self.pending_final is not None and self.pending_final.epoch == tree.epoch:
            if self.pending_final.view <= node.certified:
                self.pending_final = None
        else:
            self.pending_final = None
        return path, writes

    def parent_certificate(self) -> Certificate | None:
        """The certificate that a block on the best block carries; None when there is none at hand, or on genesis."""
        best = self.tree.best
        if best is self.tree.root and self._at_opening():
            return self.final_certificate
        certificate = self.tree.certificates.get((best.certified, NOTARIZE))
        return certificate if certificate is not None and certificate.block == best.hash else None

    def word(self) -> ViewContext | Halt:
        """What the engine is to know: where the chain stands, or that it goes on without this node."""
        return self.halt() if self.outdated else self.context()

    def halt(self) -> Halt:
        """From which height on the chain has rules that this release does not know."""
        return Halt(height=self.tree.root.height + 1, rules=self.rules.version)

    def context(self) -> ViewContext:
        """Facts about the view that the highest certificate opens."""
        assert not self.outdated, "nobody acts under rules that they do not know"
        tree, best = self.tree, self.tree.best
        view = tree.entry_view + 1
        repeats = best.closing and best is not tree.root
        turn = best.repeat if repeats else best.turn
        head = best.ledger.core.head
        ready = best.certified >= tree.notarized_view and (
            repeats or best.height == 0 or self.parent_certificate() is not None
        )
        members, decided = best.ledger.core.roster.members, self.administration
        return ViewContext(
            epoch=tree.epoch,
            view=view,
            entry=tree.entry,
            parent=best.hash,
            parent_view=max(best.certified, 0),
            parent_height=head.height,
            parent_tick=head.tick,
            beacon=head.beacon,
            leader=members[turn.leader(view)].key,
            validators=self.validators.keys,
            closing=repeats,
            ready=ready,
            skipped=(tree.entry_view, SKIP) in tree.certificates,
            rules=self.rules.version,
            administrators=None if decided is None else decided.current,
        )

    def leader(self, parent: ForkNode, view: int, repeats: bool) -> bytes:
        """Key of the leader of `view` on `parent`."""
        turn = parent.repeat if repeats else parent.turn
        return parent.ledger.core.roster.members[turn.leader(view)].key

    def block_at(self, height: int) -> Block | None:
        """A final block by height, from the store. Raises `RowLost`."""
        hash_ = self.reader.get(HEIGHT_TABLE, height_key(height))
        if hash_ is None:
            return None
        block = self.block(hash_)
        if block is None:
            raise RowLost(BLOCK_TABLE, hash_)
        if block.header.height != height:
            raise RowLost(HEIGHT_TABLE, height_key(height), "the hash of another block")
        return block

    def block(self, hash_: bytes) -> Block | None:
        """A stored block by hash. Raises `RowLost` for one that has another hash now, or is none: whoever is given a
        block by this node would find out, and have only this node to blame."""
        data = self.reader.get(BLOCK_TABLE, hash_)
        if data is None:
            return None
        try:
            block = decode(data, Block)
        except Refusal:
            raise RowLost(BLOCK_TABLE, hash_, "bytes of no block") from None
        if block.header.hash != hash_ or not block.matches_header:
            raise RowLost(BLOCK_TABLE, hash_, "another block")
        return block

    def finality_at(self, height: int) -> Certificate | None:
        """The finality certificate of the block at a height, if that block was finalized directly here."""
        data = self.reader.get(FINALITY_TABLE, height_key(height))
        return None if data is None else decode(data, Certificate)

    def install(self, ledger: Ledger, block: Block, offer: SnapshotOffer) -> list[Write]:
        """Start over from a verified snapshot: `block` is final by the offer's certificate and left `ledger`."""
        hash_, certificate = block.header.hash, offer.certificate
        node = ForkNode(hash_, block, None, ledger, self.parameters)
        node.certified = 0 if node.closing else certificate.view
        epoch = certificate.epoch + node.closing
        held = self.tree.certificates
        # What is certified above the last final block is never forgotten.
        ahead = [subject for subject in sorted(held) if self.tree.epoch == epoch and subject[0] >= node.certified]
        writes: list[Write] = []
        for each in self.tree.unfinal():
            writes += [(BLOCK_TABLE, each.hash, None), (UNFINAL_TABLE, each.hash, None)]
        writes += [(CERTIFICATE_TABLE, subject_key(*subject), None) for subject in held if subject not in ahead]
        writes += [
            *ledger.flush(),
            (BLOCK_TABLE, hash_, encode(block)),
            (HEIGHT_TABLE, height_key(node.height), hash_),
            (FINALITY_TABLE, height_key(node.height), encode(certificate)),
            (ROOT_TABLE, ROOT_KEY, hash_),
        ]
        closings = [*offer.closings, self._closing(node, certificate)] if node.closing else offer.closings
        writes += [(CLOSING_TABLE, height_key(number), encode(each)) for number, each in enumerate(closings)]
        self.final_certificate = certificate
        self.pending_final = None
        self.tree = ForkTree(node, epoch, certificate if node.closing else None)
        for subject in ahead:
            self.tree.record(held[subject])
        self.flushed = [ledger]
        return writes

    @staticmethod
    def _closing(node: ForkNode, certificate: Certificate) -> EpochClosing:
        assert node.block is not None
        return EpochClosing(encode(node.block.header), certificate, node.ledger.next_validators.keys)

    def _at_opening(self) -> bool:
        return self.tree.root.closing

    def _load(self) -> ForkTree:
        """Recover from the store; an empty one starts at genesis."""
        hash_ = self.reader.get(ROOT_TABLE, ROOT_KEY)
        if hash_ is None:
            ledger = self.validator.first(self.reader)
            self.recovered = [*ledger.flush(), (ROOT_TABLE, ROOT_KEY, self.chain_id)]
            self.flushed = [ledger]
            root = ForkNode(self.chain_id, None, None, ledger, self.parameters)
            root.certified = 0
            return ForkTree(root, 0, None)
        stored = stored_ledger(self.reader)
        if stored is None:  # the root and its ledger are written as one
            raise RowLost(ROW_TABLE, HEAD_KEY)
        block = self.block(hash_)
        self._check_root(hash_, block, stored)
        root = ForkNode(hash_, block, None, stored, self.parameters)
        self.final_certificate = final = self.finality_at(root.height)
        if root.height and (final is None or final.block != hash_):
            raise RowLost(FINALITY_TABLE, height_key(root.height), "no finality of the last final block")
        root.certified = 0 if root.closing or final is None else final.view
        tree = ForkTree(root, stored.core.head.epoch + root.closing, final if root.closing else None)
        self.tree = tree
        if not self.outdated:
            self._load_unfinal(tree)
        for _, data in self.reader.scan(CERTIFICATE_TABLE):
            certificate = decode(data, Certificate)
            assert certificate.epoch == tree.epoch, "certificates are deleted with their epoch"
            tree.record(certificate)
        return tree

    def _check_root(self, hash_: bytes, block: Block | None, stored: Ledger) -> None:
        """The ledger is the one that the last final block left: one of them may be as it was before, which no checksum
        of its own tells, and this node would stand on a block that nobody has. Raises `RowLost`."""
        head = stored.core.head
        if block is None:
            if head.height or hash_ != self.chain_id:
                raise RowLost(BLOCK_TABLE, hash_)
            return
        header = block.header
        if (header.height, header.view, header.parent) != (head.height, head.view, head.parent):
            raise RowLost(ROOT_TABLE, ROOT_KEY, "the hash of another block")

    def _load_unfinal(self, tree: ForkTree) -> None:
        blocks: list[tuple[int, bytes, Block]] = []
        for hash_, _ in self.reader.scan(UNFINAL_TABLE):
            block = self.block(hash_)
            if block is None:  # both rows are written as one
                raise RowLost(BLOCK_TABLE, hash_)
            blocks.append((block.header.height, hash_, block))
        for _, hash_, block in sorted(blocks, key=lambda each: each[:2]):
            if block.header.parent not in tree.nodes:
                raise RowLost(BLOCK_TABLE, block.header.parent)
            tree.add(self.judge(block, hash_))

    def hold_final(self, certificate: Certificate) -> None:
        """Remember a verified finality certificate whose block is not at hand yet."""
        assert certificate.kind == FINALIZE
        self.pending_final = certificate
        self.tree.wanted.setdefault(certificate.block, certificate.view)


def height_key(height: int) -> bytes:
    """Store key of a height or an epoch."""
    return height.to_bytes(8, "big")


def subject_key(view: int, kind: int) -> bytes:
    """Store key of a certificate of the current epoch."""
    return view.to_bytes(8, "big") + bytes((kind,))
