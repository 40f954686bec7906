"""A ledger as one block left it: its rows over its parent's, down to the last final state (protocol section 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import NamedTuple

from lucid.chain.blocks import genesis_beacon
from lucid.chain.codec import decode, encode
from lucid.chain.genesis import Genesis
from lucid.chain.hashing import ZERO_DIGEST, state_key_digest, state_value_digest
from lucid.chain.validators import ValidatorSet
from lucid.chain.versions import ChainRules, first_rules
from lucid.ledger.rows import (
    ADMINISTRATION_KEY,
    HEAD_KEY,
    ROSTER_KEY,
    RULES_KEY,
    SCHEDULE_KEY,
    TALLY_KEY,
    AdministrationEntry,
    Head,
    Roster,
    genesis_roster,
)
from lucid.ledger.rowstore import Reader, RowLost, Write
from lucid.ledger.tree import DIGIT_BITS, ROOT, TOP_SHIFT, TreeNode, TreeUpdate, release
from lucid.poot.credits import Tally, empty_tally
from lucid.poot.schedule import Schedule

ROW_TABLE = "row"
TREE_TABLE = "tree"

NO_RULES = ChainRules()
"""What holds where no row says so: it is written only if it says otherwise."""

DigestedRow = tuple[int, bytes, bytes]
"""The digest of a row's key as a number, by which it stands in the tree, and its key and value."""


class Core:
    """The rows that every block looks at, decoded once. `administration` is None while the genesis document's
    administrators are the only ones there ever were."""

    __slots__ = ("administration", "head", "orders", "roster", "rules", "schedule", "tally")

    def __init__(
        self,
        head: Head,
        tally: Tally,
        roster: Roster,
        schedule: Schedule,
        rules: ChainRules = NO_RULES,
        administration: AdministrationEntry | None = None,
    ) -> None:
        self.head = head
        self.tally = tally
        self.roster = roster
        self.schedule = schedule
        self.rules = rules
        self.administration = administration
        self.orders: dict[int, tuple[int, ...]] = {}
        """By epoch, in which order leaders follow where these rows are the parent's: `Turn` ranks them once."""

    def encoded(self) -> dict[bytes, bytes]:
        """The core's rows as they are stored."""
        rows = {
            HEAD_KEY: encode(self.head),
            TALLY_KEY: encode(self.tally),
            ROSTER_KEY: encode(self.roster),
            SCHEDULE_KEY: encode(self.schedule),
        }
        if self.rules != NO_RULES:
            rows[RULES_KEY] = encode(self.rules)
        if self.administration is not None:
            rows[ADMINISTRATION_KEY] = encode(self.administration)
        return rows


class Divided(NamedTuple):
    """All rows of a final ledger in parts, those of one subtree of the state tree each, and the branches above them."""

    branches: tuple[bytes, ...]
    parts: tuple[bytes, ...]


class Ledger:
    """An immutable ledger: what changed (`rows`, and nodes of the tree) over `parent`, or over the final store.

    `root` is the state root. `validators` and `next_validators` are this epoch's set and the one that would follow.
    `transactions` are the ids of those in the block that left this ledger. What follows from all this is taken from an
    `equal` ledger, if there is one.
    """

    __slots__ = (
        "_changed",
        "_tree",
        "core",
        "next_validators",
        "parent",
        "reader",
        "root",
        "rows",
        "transactions",
        "validators",
    )

    _tree: TreeNode | None
    _changed: dict[int, TreeNode | None]

    def __init__(
        self,
        reader: Reader,
        parent: Ledger | None,
        core: Core,
        rows: Mapping[bytes, bytes | None],
        transactions: tuple[bytes, ...] = (),
        equal: Ledger | None = None,
    ) -> None:
        self.reader = reader
        self.parent = parent
        self.core = core
        self.rows = rows
        self.transactions = transactions
        if equal is None:
            update = TreeUpdate(self._stored_node, None if parent is None else parent._tree)
            self.root = update.apply(
                {
                    state_key_digest(key): None if value is None else state_value_digest(value)
                    for key, value in rows.items()
                }
            )
            self._tree = update.root
            self._changed = update.changed
            self.validators, self.next_validators = self._sets()
        else:
            self.root, self._tree, self._changed = equal.root, equal._tree, equal._changed
            self.validators, self.next_validators = equal.validators, equal.next_validators

    def row(self, key: bytes) -> bytes | None:
        """The row's bytes, or None where there is no such row."""
        ledger: Ledger | None = self
        # Unfinal blocks are overlays: forks share all rows that neither of them changed.
        while ledger is not None:
            if key in ledger.rows:
                return ledger.rows[key]
            ledger = ledger.parent
        return self.reader.get(ROW_TABLE, key)

    def flush(self) -> list[Write]:
        """What to store once this ledger is final, after its parent's."""
        writes: list[Write] = [(ROW_TABLE, key, value) for key, value in self.rows.items()]
        writes += [
            (TREE_TABLE, tree_key(index), None if node is None else node.data) for index, node in self._changed.items()
        ]
        return writes

    def settle(self) -> None:
        """Forget what was flushed: from here on the store holds it and all before it."""
        # Not before the store holds the rows: reads of the step that made it final still go through them.
        self.parent = None
        self.rows = {}
        release(self._changed)
        self._changed = {}

    def divided(self, part_bytes: int) -> Divided:
        """All rows, which the store holds, in parts of so many bytes at most, but for those of one row."""
        rows = sorted(
            (int.from_bytes(state_key_digest(key), "big"), key, value) for key, value in self.reader.scan(ROW_TABLE)
        )
        branches: list[bytes] = []
        parts: list[bytes] = []
        self._divide(rows, ROOT, TOP_SHIFT, part_bytes, branches, parts)
        return Divided(tuple(branches), tuple(parts))

    def _divide(
        self,
        rows: list[tuple[int, bytes, bytes]],
        index: int,
        shift: int,
        most: int,
        branches: list[bytes],
        parts: list[bytes],
    ) -> None:
        """Open the subtree at `index` if its rows are too many for a part, and go on with its children."""
        size = sum([len(key) + len(value) for _, key, value in rows])
        # A row cannot be divided, so a part has one at least, however large; messages have room for 2 MiB (section 8).
        if size <= most or len(rows) == 1:
            parts.append(encode([(key, value) for _, key, value in rows]))
            return
        branch = self._stored_node(index)
        if branch is None:  # two rows have a branch above them
            raise RowLost(TREE_TABLE, tree_key(index))
        branches.append(branch)
        for digit, below in groupby(rows, lambda row: row[0] >> shift & 15):
            self._divide(list(below), (index << DIGIT_BITS) | digit, shift - DIGIT_BITS, most, branches, parts)

    def _stored_node(self, index: int) -> bytes | None:
        # Nodes that are not in memory have not changed since the last final state, so the store has them.
        node = self.reader.get(TREE_TABLE, tree_key(index))
        if node is None and index != ROOT:
            raise RowLost(TREE_TABLE, tree_key(index))
        return node

    def _sets(self) -> tuple[ValidatorSet, ValidatorSet]:
        roster, above = self.core.roster, self.parent
        # The roster changes seldom: its sets, and their hashes, are made once for all blocks that share it.
        if above is not None and above.core.roster is roster:
            return above.validators, above.next_validators
        members = roster.members
        following = tuple([members[number].key for number in roster.next_validators()])
        current = tuple([members[number].key for number in roster.validators])
        validators = ValidatorSet(current)
        return validators, validators if following == current else ValidatorSet(following)


def tree_key(index: int) -> bytes:
    """Store key of a state tree node: its heap index, big-endian."""
    return index.to_bytes((index.bit_length() + 7) >> 3, "big")


def genesis_ledger(genesis: Genesis, reader: Reader) -> Ledger:
    """The ledger before the first block."""
    roster = genesis_roster(genesis)
    head = Head(
        height=0,
        epoch=0,
        view=0,
        tick=0,
        slot=-1,
        parent=ZERO_DIGEST,
        beacon=genesis_beacon(genesis),
        recent=(),
        leaders=(),
    )
    schedule = Schedule(-1, roster.validators, 0, 0)
    core = Core(head, empty_tally(len(roster.members)), roster, schedule, first_rules(genesis.rules))
    return Ledger(reader, None, core, core.encoded())


class _Nothing:
    """A store that holds nothing, to grow a tree from scratch on."""

    def get(self, table: str, key: bytes) -> bytes | None:
        return None

    def scan(self, table: str, start: bytes = b"") -> Iterable[tuple[bytes, bytes]]:
        return ()


def ledger_of_rows(reader: Reader, rows: Mapping[bytes, bytes]) -> Ledger | None:
    """The ledger of exactly these rows, whatever the store holds; None if the core is missing or impossible."""
    core = _core(rows.get)
    # Rows of a download that nobody has vouched for: an impossible roster must end it, and not this node.
    if core is None or not _possible(core.roster):
        return None
    ledger = Ledger(_Nothing(), None, core, rows)
    ledger.reader = reader
    return ledger


def stored_ledger(reader: Reader) -> Ledger | None:
    """The last final ledger, as the store holds it; None in an empty store."""
    core = _core(lambda key: reader.get(ROW_TABLE, key))
    return None if core is None else Ledger(reader, None, core, {})


def _possible(roster: Roster) -> bool:
    """Whether validator sets can be made of a roster that nobody has vouched for yet."""
    current, following = roster.validators, roster.next_validators()
    return (
        len(current) > 0 < len(following)
        and len(set(current)) == len(current)
        and all(0 <= number < len(roster.members) for number in current)
        and len({member.key for member in roster.members}) == len(roster.members)
    )


def _core(get: Callable[[bytes], bytes | None]) -> Core | None:
    head, tally, roster, schedule = (get(key) for key in (HEAD_KEY, TALLY_KEY, ROSTER_KEY, SCHEDULE_KEY))
    if head is None or tally is None or roster is None or schedule is None:
        return None
    named, decided = get(RULES_KEY), get(ADMINISTRATION_KEY)
    return Core(
        decode(head, Head),
        decode(tally, Tally),
        decode(roster, Roster),
        decode(schedule, Schedule),
        NO_RULES if named is None else decode(named, ChainRules),
        None if decided is None else decode(decided, AdministrationEntry),
    )
