"""The traitor of an exploration: it votes for everything, and where it leads it puts blocks forward on every parent.

Whatever it may ever say is there from the moment at which it can be said; who hears of it, and when, is for the search.
So it has no state, and no traitor of the same key could show an honest node more within the scope.
"""

from __future__ import annotations

from msgspec import structs

from harness.explore.post import Post
from harness.explore.replica import SentMessage
from harness.explore.setting import Setting
from lucid.chain.blocks import Block
from lucid.chain.certificates import Certificate, assemble
from lucid.chain.transactions import Transaction, UptimeBeacon, claim_message, endorsement_message
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP, Vote, vote_message
from lucid.ledger.memory import MemoryStore
from lucid.machines.chain import Chain
from lucid.machines.forktree import ForkNode
from lucid.machines.messages import Proposal, VoteMessage, encode_message


class Traitor:
    """What the Byzantine validator can send, given what was sent."""

    def __init__(self, setting: Setting, post: Post) -> None:
        self.setting = setting
        self.post = post
        self.place = setting.scope.byzantine
        self._chain = Chain(setting.genesis, setting.crypto, MemoryStore(), setting.limits, setting.validator)
        self._known: dict[int, int] = {}
        self._blocks: dict[tuple[bytes, int, Certificate | None], int] = {}

    def says(self, sent: int) -> int:
        """Everything that it can say once these letters were sent, as a set of letters."""
        if self.place not in self.setting.places.values():
            return 0
        said = self._known.get(sent)
        if said is None:
            said = self._known[sent] = self._says(sent)
        return said

    def _says(self, sent: int) -> int:
        said = 0
        root = self._chain.tree.root
        for view in range(1, self.setting.scope.views + 1):
            said |= self._vote(view, SKIP, b"") | self._leads(root, view, None)
        # Blocks of its own may be parents of others of its own.
        for block, proposal in list(self.post.proposed.items()):
            view = proposal.vote.view
            if not self._put_forward(block, sent | said):
                continue
            said |= self._vote(view, NOTARIZE, block) | self._vote(view, FINALIZE, block)
            node, certificate = self._node(proposal), self._notarization(view, block, sent | said)
            if node is not None and certificate is not None:
                for later in range(view + 1, self.setting.scope.views + 1):
                    said |= self._leads(node, later, certificate)
        return said

    def _put_forward(self, block: bytes, sent: int) -> bool:
        return any(
            sent >> number & 1 and isinstance(letter.message, Proposal) and letter.message.vote.block == block
            for number, letter in enumerate(self.post.letters)
        )

    def _node(self, proposal: Proposal) -> ForkNode | None:
        """A proposal's block in the traitor's own tree; None if its parent is not there."""
        hash_, tree = proposal.vote.block, self._chain.tree
        if hash_ not in tree.nodes and proposal.block.header.parent in tree.nodes:
            tree.add(self._chain.judge(proposal.block, hash_))
        return tree.nodes.get(hash_)

    def _notarization(self, view: int, block: bytes, sent: int) -> Certificate | None:
        """The notarization of a block with as few votes of its own as it takes; None if there can be none."""
        voters = self.post.voters((view, NOTARIZE, block), sent)
        chosen = sorted(voters, key=lambda place: (place == self.place, place))[: self.setting.quorum]
        if len(chosen) < self.setting.quorum:
            return None
        index = self._chain.validators.index
        signatures = {
            index[self.setting.keys[place]]: self.post.letters[voters[place]].message.vote.signature  # type: ignore[union-attr]
            for place in chosen
        }
        return assemble(0, view, NOTARIZE, block, signatures, len(self.setting.keys))

    def _leads(self, parent: ForkNode, view: int, certificate: Certificate | None) -> int:
        """Its two proposals of a view on a parent, where it leads that view."""
        if self._chain.leader(parent, view, repeats=False) != self.setting.keys[self.place]:
            return 0
        key = (parent.hash, view, certificate)
        said = self._blocks.get(key)
        if said is None:
            said = 0
            for candidates in ((), (self._heartbeat(parent.hash),))[: self.setting.scope.blocks]:
                said |= self._propose(parent, view, certificate, candidates)
            self._blocks[key] = said
        return said

    def _propose(
        self, parent: ForkNode, view: int, certificate: Certificate | None, candidates: tuple[Transaction, ...]
    ) -> int:
        setting = self.setting
        secret, head = setting.secrets[self.place], parent.ledger.core.head
        proof = setting.crypto.vrf_prove(secret, head.beacon)
        built = setting.validator.build(
            parent.ledger,
            parent.hash,
            parent.turn,
            certificate=certificate,
            view=view,
            tick=head.tick + 1,
            vrf_proof=proof,
            late_votes=(),
            candidates=candidates,
        )
        hash_ = built.header.hash
        signature = setting.crypto.sign(secret, hash_)
        block = Block(built.header, signature, built.parent_certificate, built.late_votes, built.transactions)
        return self._say(encode_message(Proposal(self._signed(view, PROPOSE, hash_), block, None)))

    def _heartbeat(self, block: bytes) -> Transaction:
        """A transaction that makes another block of the same view."""
        setting, secret = self.setting, self.setting.secrets[self.place]
        chain_id = setting.genesis.chain_id
        blank = UptimeBeacon(node=setting.keys[self.place], epoch=0, slot=0, block=block, signature=bytes(64))
        payload = structs.replace(blank, signature=setting.crypto.sign(secret, claim_message(chain_id, blank)))
        unsigned = Transaction(payload, setting.keys[self.place], 16, bytes(64))
        message = endorsement_message(chain_id, unsigned.id, unsigned.valid_until)
        return structs.replace(unsigned, endorsement=setting.crypto.sign(secret, message))

    def _vote(self, view: int, kind: int, block: bytes) -> int:
        return self._say(encode_message(VoteMessage(self._signed(view, kind, block))))

    def _signed(self, view: int, kind: int, block: bytes) -> Vote:
        setting = self.setting
        message = vote_message(setting.genesis.chain_id, 0, view, kind, block)
        signature = setting.crypto.sign(setting.secrets[self.place], message)
        return Vote(0, view, kind, block, setting.keys[self.place], signature)

    def _say(self, data: bytes) -> int:
        return self.post.put(self.place, SentMessage(None, data))
