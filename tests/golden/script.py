"""Golden scripts: reads them, runs their commands on a network of nodes, and writes down what came of it.

A script is text: comments, one or more commands, `----`, and what they put out, up to an empty line. Commands:

    nodes N [NAME=VALUE ...]      start N nodes named 1, 2, ...; genesis parameters, rules and limits by name
    tick TIME                     move the clock on; timers fire, no message arrives
    run TIME                      move the clock on; messages arrive at once
    fast-forward TIME             the same, without a word about it
    deliver [SELECTION]           let the messages that are in the pool now arrive: one message delay
    stabilize                     deliver until no message is left
    drop | hold [SELECTION]       lose messages of the pool, or put them aside until `release`
    mute SELECTION | cut A B      from now on lose what is sent so, or between two groups, until `heal`
    messages [SELECTION]          what is in the pool
    crash | restart NODES         stop nodes at once, start them from their disks; `lose-power` stops all
    stall | resume NODES          a disk stops making things durable, and goes on
    wipe votes | wipe all NODE    lose a stopped node's vote log, or all that it stored
    twin NODE                     start a second node with the same key from copies of its disks
    clock NODE TIME               put a node's clock ahead, or behind with a minus
    submit NODE NAME              a client hands a session anchor to a node
    record NODE NAME              the same, of a session of some real chunks
    mandate NODE NAME RELAY       a client hands in whom the owner of that session names as its relay
    holding NODE NAME             a node says that it holds all chunks of that session
    receipt NODE NAME COUNT RELAY a node says that so many of them came from that relay
    prove NODE NAME               a node shows what the epoch's beacon draws of them
    capacity NODE TICKETS         a node declares what it has room for
    status | chain | votes NODES  where nodes stand, their final blocks, their durable vote logs
    block NAME                    what is in a block
    schedule | credits NODE       by a node's final ledger: the ranking of the slot; each node's credits and penalties
    weights NODE                  by the same: what each node declared, and what it weighs

A SELECTION is nothing for all, or a route (`1->2,3`, `->4`, `2->`), or kinds of messages, or both. NODES is nothing for
all, or names. Views and blocks of later epochs than the first have the epoch before them: `e1.v3`, `e1.B3`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import structs

from lucid.chain.blocks import Block
from lucid.chain.codec import decode
from lucid.chain.genesis import Activation, Genesis, GenesisNode, GenesisOfRules
from lucid.chain.hashing import domain
from lucid.chain.keys import Crypto
from lucid.chain.parameters import Parameters
from lucid.chain.transactions import (
    NodeCapacity,
    RelayMandate,
    RelayReceipt,
    ReplicaHolding,
    SessionAnchor,
    SignedClaim,
    StorageProof,
    claim_message,
)
from lucid.ledger.proofs import open_challenge
from lucid.ledger.rows import WEIGHTS_KEY, HoldingEntry, holding_key
from lucid.ledger.state import Ledger, stored_ledger
from lucid.ledger.weights import entry_of
from lucid.machines.chain import HEIGHT_TABLE
from lucid.machines.effects import Submitted
from lucid.machines.limits import DEFAULT_LIMITS, Limits
from lucid.machines.votelog import VoteLog
from sim.crypto import ModeledCrypto
from sim.relayload import BYTES, IDS, ROOT, UNSIGNED, answer
from tests.golden.narrator import KINDS, Narrator, joined, message_kind, stored_block, view_name
from tests.golden.network import Disk, Envelope, Network, Node, secret_of

GENESIS_MS = 1_700_000_000_000
UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
SEPARATOR = "----"

_fill = domain("lucid golden session")
OWNER = _fill(b"owner")


class Passage(NamedTuple):
    """Some commands of a script: the comments and commands as they stand there, and the expected output."""

    source: list[str]
    commands: list[str]
    expected: list[str]


class ScriptError(Exception):
    """A script says something that is not a command."""


def parse(text: str) -> list[Passage]:
    """Split a script into its passages."""
    passages: list[Passage] = []
    source: list[str] = []
    expected: list[str] | None = None
    for line in [*text.splitlines(), ""]:
        if expected is not None:
            if line:
                expected.append(line)
                continue
            commands = [each for each in source if each and not each.startswith("#")]
            passages.append(Passage(source, commands, expected))
            source, expected = [], None
        elif line == SEPARATOR:
            expected = []
        elif line or source:
            source.append(line)
    if any(line and not line.startswith("#") for line in source):
        raise ScriptError(f"commands without {SEPARATOR}: {source}")
    if any(source):
        passages.append(Passage(source, [], []))
    return passages


def run(path: Path, crypto: Crypto | None = None) -> str:
    """Run a script and return its text with the output that it has now."""
    player = Player(crypto or ModeledCrypto())
    pieces = []
    for passage in parse(path.read_text(encoding="utf-8")):
        output = [line for command in passage.commands for line in player.do(command)]
        ending = [SEPARATOR, *output] if passage.commands else []
        pieces.append("\n".join([*passage.source, *ending]).rstrip("\n") + "\n")
    player.network.check_stores()
    return "\n".join(pieces)


def duration_ms(text: str) -> int:
    """A duration such as `10s`, `1500ms` or `-2m` in milliseconds."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    return int(number) * UNITS_MS[text[len(number) :]]


def selection(words: list[str]) -> Callable[[Envelope], bool]:
    """The messages that a selection names."""
    sources: list[str] = []
    targets: list[str] = []
    kinds: list[str] = []
    for word in words:
        if "->" in word:
            left, right = word.split("->")
            sources, targets = [each for each in left.split(",") if each], [each for each in right.split(",") if each]
        elif word in KINDS:
            kinds.append(word)
        else:
            raise ScriptError(f"no kind of message: {word}")
    return lambda envelope: (
        (not sources or envelope.source in sources)
        and (not targets or envelope.target in targets)
        and (not kinds or message_kind(envelope) in kinds)
    )


class Player:
    """Performs commands; each returns the lines that it puts out."""

    def __init__(self, crypto: Crypto) -> None:
        self.crypto = crypto
        self.narrator = Narrator()
        self.held: list[Envelope] = []
        self.network = Network(Genesis(GENESIS_MS, ()), crypto, DEFAULT_LIMITS, self.narrator.watch)

    def do(self, line: str) -> list[str]:
        """Perform one command."""
        name, *words = line.split()
        command = getattr(self, f"_do_{name.replace('-', '_')}", None)
        if command is None:
            raise ScriptError(f"no command: {line}")
        lines: list[str] | None = command(*words)
        return [*self.narrator.read(), *(lines or [])]

    def _nodes(self, names: tuple[str, ...]) -> list[Node]:
        return [self.network.nodes[name] for name in names] if names else list(self.network.nodes.values())

    # -- time and messages ---------------------------------------------------------------------------------------

    def _do_nodes(self, count: str, *settings: str) -> None:
        values: dict[str, Any] = {name: int(value) for name, value in (each.split("=") for each in settings)}
        values.setdefault("snapshot_blocks", 1_000_000)
        limits = Limits(**{name: values.pop(name) for name in Limits.__struct_fields__ if name in values})
        secrets = [secret_of(number) for number in range(1, int(count) + 1)]
        members = [GenesisNode(self.crypto.public_key(each), f"n{n}") for n, each in enumerate(secrets, 1)]
        rules = values.pop("rules", 0)
        parameters = Parameters(**values)
        genesis = Genesis(GENESIS_MS, tuple(members), parameters=parameters)
        if rules:
            genesis = GenesisOfRules(GENESIS_MS, tuple(members), parameters=parameters, rules=Activation(rules))
        genesis = genesis.check()
        self.network = Network(genesis, self.crypto, limits, self.narrator.watch)
        self.narrator.network = self.network
        for number, secret in enumerate(secrets, 1):
            self.network.add(str(number), secret)
        for node in self.network.nodes.values():
            node.start()

    def _do_tick(self, time: str) -> None:
        self.network.advance(self.network.now_ms + duration_ms(time), deliver=False)

    def _do_run(self, time: str) -> None:
        self.network.advance(self.network.now_ms + duration_ms(time), deliver=True)

    def _do_fast_forward(self, time: str) -> None:
        self._do_run(time)
        self.narrator.read()

    def _do_deliver(self, *words: str) -> None:
        self.network.deliver(self.network.take(selection(list(words))))

    def _do_stabilize(self) -> None:
        self.network.stabilize()

    def _do_drop(self, *words: str) -> list[str]:
        return self._summary("dropped", self.network.take(selection(list(words))))

    def _do_hold(self, *words: str) -> list[str]:
        taken = self.network.take(selection(list(words)))
        self.held += taken
        return self._summary("holding", taken)

    def _do_release(self) -> None:
        self.network.pool += self.held
        self.held = []

    def _do_mute(self, *words: str) -> None:
        self.network.mutes.append(selection(list(words)))

    def _do_cut(self, one: str, other: str) -> None:
        self.network.mutes += [selection([f"{one}->{other}"]), selection([f"{other}->{one}"])]

    def _do_heal(self) -> None:
        self.network.mutes = []

    def _do_messages(self, *words: str) -> list[str]:
        targets: dict[tuple[str, str], list[str]] = {}
        for envelope in filter(selection(list(words)), self.network.pool):
            line = (envelope.source, self.narrator.message(envelope))
            targets.setdefault(line, []).append(envelope.target)
        return [f"{source}->{','.join(names)} {what}" for (source, what), names in targets.items()]

    def _summary(self, what: str, envelopes: list[Envelope]) -> list[str]:
        counts = Counter(message_kind(envelope) for envelope in envelopes)
        return [f"{what} {joined(f'{counts[kind]} {kind}' for kind in KINDS if kind in counts)}"]

    # -- faults --------------------------------------------------------------------------------------------------

    def _do_crash(self, *names: str) -> None:
        for node in self._nodes(names):
            node.crash()

    def _do_lose_power(self) -> None:
        self._do_crash()
        self.network.pool = []

    def _do_restart(self, *names: str) -> None:
        for node in self._nodes(names):
            assert not node.running, f"{node.name} runs already"
            node.start()

    def _do_stall(self, *names: str) -> None:
        for node in self._nodes(names):
            node.stalled = True

    def _do_resume(self, *names: str) -> None:
        for node in self._nodes(names):
            node.resume()

    def _do_wipe(self, what: str, name: str) -> None:
        node = self.network.nodes[name]
        assert not node.running, f"{name} runs"
        node.engine_disk = Disk()
        if what == "all":
            node.manager_disk = Disk()
        elif what != "votes":
            raise ScriptError(f"wipe what? {what}")

    def _do_twin(self, name: str) -> None:
        self.network.twin(self.network.nodes[name]).start()

    def _do_clock(self, name: str, time: str) -> None:
        self.network.nodes[name].offset_ms += duration_ms(time)

    # -- clients -------------------------------------------------------------------------------------------------

    def _do_submit(self, name: str, session: str) -> None:
        self._anchor(name, session, _fill(b"root"), 1, 1 << 20)

    def _do_record(self, name: str, session: str) -> None:
        self._anchor(name, session, ROOT, len(IDS), BYTES)

    def _anchor(self, name: str, session: str, root: bytes, chunks: int, size: int) -> None:
        identity = bytearray(_fill(session.encode())[:16])
        identity[6], identity[8] = identity[6] & 0x0F | 0x40, identity[8] & 0x3F | 0x80
        self.narrator.sessions[bytes(identity)] = session
        blank = SessionAnchor(
            session=bytes(identity),
            owner=self.crypto.public_key(OWNER),
            started_ms=GENESIS_MS,
            ended_ms=GENESIS_MS + 1,
            manifest=_fill(b"manifest"),
            root=root,
            chunks=chunks,
            total_bytes=size,
            policy=b"",
            signature=UNSIGNED,
        )
        self._hand_in(name, session, blank, OWNER)

    def _do_mandate(self, name: str, session: str, relay: str) -> None:
        owner, key = self.crypto.public_key(OWNER), self.network.nodes[relay].key
        self._hand_in(name, f"mandate of {session}", RelayMandate(key, owner, self._session(session), UNSIGNED), OWNER)

    def _do_holding(self, name: str, session: str) -> None:
        node, owner = self.network.nodes[name], self.crypto.public_key(OWNER)
        height = self._ledger(name).core.head.height
        blank = ReplicaHolding(node.key, owner, self._session(session), height, ((0, len(IDS)),), UNSIGNED)
        self._hand_in(name, f"holding of {session}", blank, node.secret)

    def _do_receipt(self, name: str, session: str, count: str, relay: str) -> None:
        node, owner, identity = self.network.nodes[name], self.crypto.public_key(OWNER), self._session(session)
        row = self._ledger(name).row(holding_key(identity, owner, node.key))
        height = 0 if row is None else decode(row, HoldingEntry).height
        relay_key = self.network.nodes[relay].key
        blank = RelayReceipt(node.key, relay_key, owner, identity, height, int(count), UNSIGNED)
        self._hand_in(name, f"receipt of {session}", blank, node.secret)

    def _do_prove(self, name: str, session: str) -> list[str]:
        node, owner, identity = self.network.nodes[name], self.crypto.public_key(OWNER), self._session(session)
        views = self.network.genesis.parameters.epoch_views
        asked = open_challenge(self._ledger(name), views, node.key, identity, owner)
        if asked is None:
            return [f"{name}: nothing is asked of {session}"]
        answers = tuple([answer(draw) for draw in asked.draws])
        blank = StorageProof(node.key, owner, identity, asked.epoch, answers, UNSIGNED)
        self._hand_in(name, f"proof of {session}", blank, node.secret)
        return []

    def _do_capacity(self, name: str, tickets: str) -> None:
        node, height = self.network.nodes[name], self._ledger(name).core.head.height
        self._hand_in(name, f"{tickets} tickets", NodeCapacity(node.key, height, int(tickets), UNSIGNED), node.secret)

    def _session(self, name: str) -> bytes:
        return next(identity for identity, session in self.narrator.sessions.items() if session == name)

    def _hand_in(self, name: str, what: str, blank: SignedClaim, secret: bytes) -> None:
        """Sign a claim, and hand it to a node's engine."""
        message = claim_message(self.network.genesis.chain_id, blank)
        self.narrator.requests.append(what)
        payload = structs.replace(blank, signature=self.crypto.sign(secret, message))
        self.network.nodes[name].running[1].step(Submitted(len(self.narrator.requests) - 1, payload))

    # -- looking -------------------------------------------------------------------------------------------------

    def _do_status(self, *names: str) -> list[str]:
        for node in self._nodes(names):
            self.narrator.say(node.name, self._status(node))
        return []

    def _status(self, node: Node) -> str:
        context = node.context
        if context is None:
            return "down"
        where = view_name(context.epoch, context.view)
        on = self.narrator.block(context.parent)
        final = self.narrator.block(self._final(node)[-1])
        return f"in {where}, led by {self.narrator.node(context.leader)} on {on}; final: {final}"

    def _final(self, node: Node) -> list[bytes]:
        blocks = [hash_ for _, hash_ in node.manager_disk.seen.scan(HEIGHT_TABLE)]
        return blocks or [self.network.genesis.chain_id]

    def _do_chain(self, *names: str) -> list[str]:
        for node in self._nodes(names):
            hashes = [hash_ for hash_ in self._final(node) if hash_ != node.network.genesis.chain_id]
            blocks = [self._block(hash_).header for hash_ in hashes]
            makers = [f"{self.narrator.block(each.hash)} by {self.narrator.node(each.proposer)}" for each in blocks]
            self.narrator.say(node.name, joined(makers))
        return []

    def _block(self, hash_: bytes) -> Block:
        stored = (stored_block(node, hash_) for node in self.network.nodes.values())
        return next(block for block in stored if block is not None)

    def _do_block(self, name: str) -> list[str]:
        block = self._block(self.narrator.block_hash(name))
        header, certificate = block.header, block.parent_certificate
        maker, parent = self.narrator.node(header.proposer), self.narrator.block(header.parent)
        lines = [f"{name}: height {header.height}, tick {header.tick}, by {maker}, on {parent}"]
        if certificate is not None:
            lines.append(f"  certificate: {self.narrator.certificate(certificate)}")
        for vote in block.late_votes:
            lines.append(f"  late vote: {self.narrator.vote(vote)} by {self.narrator.node(vote.signer)}")
        for transaction in block.transactions:
            lines.append(f"  {self.narrator.transaction(transaction)}")
        return lines

    def _do_votes(self, *names: str) -> list[str]:
        for node in self._nodes(names):
            log = VoteLog(node.engine_disk.safe)
            epoch, view = log.view
            votes = [vote for v in (view - 1, view) for vote in log.votes((epoch, v)).values()]
            said = joined(self.narrator.vote(vote) for vote in sorted(votes, key=lambda each: (each.view, each.kind)))
            self.narrator.say(node.name, "no vote log" if log.missing else f"{view_name(epoch, view)}: {said}")
        return []

    def _ledger(self, name: str) -> Ledger:
        ledger = stored_ledger(self.network.nodes[name].manager_disk.seen)
        assert ledger is not None
        return ledger

    def _do_schedule(self, name: str) -> list[str]:
        core = self._ledger(name).core
        members = core.roster.members
        order = " ".join(self.narrator.node(members[number].key) for number in core.schedule.order)
        guilty = [
            f"{self.narrator.node(member.key)} until epoch {until}"
            for member, until in zip(members, core.tally.evidence_until, strict=True)
            if until > core.head.epoch
        ]
        return [f"slot {core.schedule.slot}: {order}; under evidence: {joined(guilty)}"]

    def _do_weights(self, name: str) -> list[str]:
        ledger = self._ledger(name)
        row = ledger.row(WEIGHTS_KEY)
        entries = [(member.key, entry_of(row, number)) for number, member in enumerate(ledger.core.roster.members)]
        return [
            f"{self.narrator.node(key)}: weighs {entry.weight} since epoch {entry.since}, declared {entry.declared}"
            for key, entry in entries
        ]

    def _do_credits(self, name: str) -> list[str]:
        core = self._ledger(name).core
        columns = zip(core.roster.members, core.tally.credits, core.tally.penalty_ppm, strict=True)
        return [
            f"{self.narrator.node(member.key)}: {credits} credits, penalty factor {penalty} ppm"
            for member, credits, penalty in columns
        ]
