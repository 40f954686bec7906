"""Random histories: on any chain builder and judge agree, the store is the ledger, and the tally is its rows.

What the machine does to a chain is what a network may: views without a block, any quorum, late votes, every kind of
transaction, forks that lose, finality sooner or later, restarts.
"""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code
from lucid.chain.transactions import Payload
from lucid.chain.votes import NOTARIZE, Vote
from lucid.ledger.memory import MemoryStore
from lucid.ledger.rows import slot_key
from lucid.ledger.state import ROW_TABLE, TREE_TABLE, Ledger, ledger_of_rows, stored_ledger, tree_key
from lucid.poot.credits import PPM, SlotWork
from tests.builders import Chain, make_genesis, stored
from tests.naive_tree import naive_state

SMALL = settings(max_examples=40, stateful_step_count=40)


class History(RuleBasedStateMachine):
    """One chain, and what was done on it."""

    @initialize(
        nodes=st.integers(1, 5),
        pools=st.sampled_from([(), ("attic",), ("attic", "attic", "cellar")]),
        cooldown=st.sampled_from([1, 3, 16]),
    )
    def start(self, nodes: int, pools: tuple[str, ...], cooldown: int) -> None:
        self.chain = Chain(make_genesis(nodes, pools=pools, cooldown_slots=cooldown, evidence_epochs=1))
        self.sequence = 0
        self.sessions = 0
        self.accused: set[tuple[int, int, int]] = set()
        self.waiting: list[Payload] = []
        self.request: Payload | None = None
        self.beaten: set[tuple[bytes, int]] = set()

    # -- transactions wait for the next block --

    @rule()
    def anchor(self) -> None:
        self.waiting += [self.chain.anchor(self.sessions), self.chain.commit(self.sessions, 0)]
        self.sessions += 1

    @rule(node=st.integers(0, 7))
    def register(self, node: int) -> None:
        members = {member.key: member for member in self.chain.tip.core.roster.members}
        known = members.get(self.chain.node(node))
        if (known is None or known.retired) and self.request is None:
            self.request = self.chain.register(node, self.sequence)

    @rule(node=st.integers(0, 7))
    def retire(self, node: int) -> None:
        active = [member.key for member in self.chain.tip.core.roster.members if not member.retired]
        if self.chain.node(node) in active and len(active) > 1 and self.request is None:
            self.request = self.chain.retire(node, self.sequence)

    @rule(node=st.integers(0, 7), view=st.integers(1, 2))
    def accuse(self, node: int, view: int) -> None:
        known = {member.key for member in self.chain.tip.core.roster.members}
        subject = (node, view, 0)
        if self.chain.node(node) in known and subject not in self.accused:
            self.accused.add(subject)
            self.waiting.append(self.chain.evidence(node, view))

    # -- blocks --

    @rule(missed=st.integers(0, 5), alive=st.sets(st.integers(0, 7)), data=st.data())
    def grow(self, missed: int, alive: set[int], data: st.DataObject) -> None:
        chain = self.chain
        view = chain.next_view + missed
        size = len(chain.tip.validators)
        signers = sorted(data.draw(st.sets(st.integers(0, size - 1), min_size=chain.tip.validators.quorum)))
        late = self.late_votes() if data.draw(st.booleans()) else []
        requests = [self.request] if self.request is not None else []
        candidates = (*self.waiting, *self.heartbeats(view, alive), *requests)
        block = chain.grow(*candidates, view=view, signers=signers, late_votes=late)
        self.sequence += len(requests)
        self.waiting, self.request = [], None
        assert set(block.late_votes) <= set(late)

    def heartbeats(self, view: int, alive: set[int]) -> list[Payload]:
        """One of each validator among `alive` for the slot of `view`, if it has sent none."""
        chain, turn = self.chain, self.chain.turn
        slot = turn.schedule(view).slot
        opening = turn.epoch != chain.tip.core.head.epoch
        keys = (chain.tip.next_validators if opening else chain.tip.validators).keys
        due = [n for n in sorted(alive) if chain.node(n) in keys and (chain.node(n), slot) not in self.beaten]
        self.beaten |= {(chain.node(number), slot) for number in due}
        epoch, place = divmod(slot, chain.parameters.epoch_slots)
        return [chain.heartbeat(number, place, chain.hash, epoch) for number in due]

    def late_votes(self) -> list[Vote]:
        """Votes of this epoch's validators for each of the last blocks, wanted or not, in the order of a block."""
        chain, epoch = self.chain, self.chain.tip.core.head.epoch
        headers = [block.header for block in chain.blocks[-5:] if block.header.epoch == epoch]
        keys = chain.tip.validators.keys
        return [chain.vote(key, NOTARIZE, each.hash, each.view, epoch) for each in headers for key in keys]

    @precondition(lambda self: self.chain.blocks)
    @rule()
    def lose_a_fork(self) -> None:
        """Two blocks on the tip that nobody keeps."""
        fork = self.chain.copy()
        fork.grow(fork.anchor(-1))
        fork.grow(fork.anchor(-2), view=fork.next_view + 4)

    @precondition(lambda self: self.chain.blocks)
    @rule()
    def tamper(self) -> None:
        block = self.chain.seal(self.chain.build())
        assert self.chain.refusal(block) is None
        assert self.chain.refusal(self.chain.resign(block, state_root=bytes(32))) is Code.BLOCK_STATE_ROOT

    @precondition(lambda self: self.chain.blocks)
    @rule()
    def offer_again(self) -> None:
        """What the last block holds is refused in the next, and leaves no trace there, whatever follows it."""
        stale = [each.payload for each in self.chain.blocks[-1].transactions]
        requests = [self.request] if self.request is not None else []
        built = self.chain.build(*stale, *requests)
        assert [each.payload for each in built.transactions] == requests
        assert self.chain.refusal(self.chain.seal(built)) is None

    # -- finality --

    @rule()
    def settle(self) -> None:
        self.chain.settle()

    @rule()
    def restart(self) -> None:
        self.chain.settle()
        ledger = stored_ledger(self.chain.store)
        assert ledger is not None and ledger.root == self.chain.tip.root
        assert ledger.core.encoded() == self.chain.tip.core.encoded()
        self.chain.tip = ledger

    @rule()
    def start_over_from_a_snapshot(self) -> None:
        self.chain.settle()
        store = MemoryStore()
        ledger = ledger_of_rows(store, dict(self.chain.store.scan(ROW_TABLE)))
        assert ledger is not None and ledger.root == self.chain.tip.root
        store.write(ledger.flush())
        ledger.settle()
        self.chain.store, self.chain.tip = store, ledger

    # -- what must hold --

    @invariant()
    def the_root_is_that_of_the_rows(self) -> None:
        copy, path = MemoryStore(), []
        for table, held in stored(self.chain.store).items():
            copy.write([(table, key, value) for key, value in held.items()])
        ledger: Ledger | None = self.chain.tip
        while ledger is not None:
            path.append(ledger)
            ledger = ledger.parent
        for each in reversed(path):
            copy.write(each.flush())
        root, nodes = naive_state(dict(copy.scan(ROW_TABLE)))
        assert root == self.chain.tip.root
        assert dict(copy.scan(TREE_TABLE)) == {tree_key(index): node for index, node in nodes.items()}

    @invariant()
    def the_tally_is_the_sum_of_the_window(self) -> None:
        core, parameters = self.chain.tip.core, self.chain.parameters
        credits, beacons, held = ([0] * len(core.roster.members) for _ in range(3))
        for slot in range(max(0, core.head.slot - 8), core.head.slot + 1):
            row = self.chain.tip.row(slot_key(slot))
            assert row is None or slot > core.head.slot - parameters.window_slots
            work = SlotWork((), ()) if row is None else decode(row, SlotWork)
            for number, member in enumerate(core.roster.members):
                if row is not None and member.since <= slot:
                    held[number] += 1
                    credits[number] += work.credits[number]
                    beacons[number] += work.beacons[number]
        assert core.tally.credits == tuple(credits)
        assert core.tally.beacons == tuple(beacons)
        assert core.tally.held == tuple(held)
        assert all(beats <= slots for beats, slots in zip(beacons, held, strict=True))
        assert all(0 <= penalty <= PPM for penalty in core.tally.penalty_ppm)

    @invariant()
    def whoever_leads_is_a_validator(self) -> None:
        turn, core = self.chain.turn, self.chain.tip.core
        opening = turn.epoch != core.head.epoch
        validators = core.roster.next_validators() if opening else core.roster.validators
        entities = {core.roster.members[number].entity for number in validators}
        leaders = [turn.leader(view) for view in range(turn.parent_view + 1, turn.parent_view + 1 + len(entities))]
        assert set(leaders) <= set(validators)
        slots = {turn.schedule(view).slot for view in range(turn.parent_view + 1, turn.parent_view + 1 + len(entities))}
        if len(slots) == 1:
            assert {core.roster.members[number].entity for number in leaders} == entities
        assert encode(turn.schedule(turn.parent_view + 1)) == encode(self.chain.turn.schedule(turn.parent_view + 1))


TestHistories = History.TestCase
pytest.mark.slow(TestHistories)
TestHistories.settings = SMALL
