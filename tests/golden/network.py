"""A handful of nodes driven by hand: machines, disks, a pool of messages and a clock that moves only when told.

It is a driver like any other (effects in order, a store completes before what follows it) and checks as it goes what
must hold in every run: promises are durable before they leave, nobody signs twice, final blocks agree.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, assert_never

from lucid.chain.certificates import Certificate
from lucid.chain.codec import encode
from lucid.chain.genesis import Genesis
from lucid.chain.hashing import domain
from lucid.chain.keys import Crypto
from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP, Vote
from lucid.ledger.memory import MemoryStore
from lucid.ledger.rowstore import Write
from lucid.machines.chain import BLOCK_TABLE, CERTIFICATE_TABLE, FINALITY_TABLE, HEIGHT_TABLE, height_key
from lucid.machines.decodedmessages import decode_message
from lucid.machines.effects import (
    BeginFetch,
    BlockFinal,
    Broadcast,
    BroadcastVote,
    CancelTimer,
    CertificateStored,
    Effect,
    Effects,
    EndFetch,
    Finalized,
    Forward,
    Observe,
    Provided,
    Publish,
    Received,
    Respond,
    Retransmit,
    Send,
    SetTimer,
    Signed,
    Started,
    Store,
    Submit,
    TakePart,
    TimerFired,
    Verdict,
    ViewContext,
)
from lucid.machines.engine import Engine
from lucid.machines.limits import Limits
from lucid.machines.manager import Manager
from lucid.machines.messages import CertificateMessage, Message
from lucid.machines.votelog import VoteLog, new_log

_secret = domain("lucid golden secret")

MAX_STEPS = 100_000
"""A command that takes more deliveries, or fires more timers, has run wild."""

Watcher = Callable[["Node", Effect], None]


class Disk:
    """What a machine reads (`seen`) and what a crash leaves of it (`safe`): a batch is safe once it is synced."""

    def __init__(self) -> None:
        self.seen = MemoryStore()
        self.safe = MemoryStore()
        self._unsynced: deque[tuple[Write, ...]] = deque()

    def write(self, writes: tuple[Write, ...]) -> None:
        """Apply a batch that is not yet safe."""
        self.seen.write(writes)
        self._unsynced.append(writes)

    def sync(self) -> None:
        """Make the oldest batch that is not yet safe."""
        self.safe.write(self._unsynced.popleft())

    def crash(self) -> None:
        """Lose what was not synced."""
        self._unsynced.clear()
        self.seen = self.copy().safe

    def copy(self) -> Disk:
        """A disk that holds what is safe here."""
        other = Disk()
        for table in self.safe.tables():
            rows = [(table, key, value) for key, value in self.safe.scan(table)]
            other.seen.write(rows)
            other.safe.write(rows)
        return other


class Envelope(NamedTuple):
    """A message on its way from one node to another, by their names."""

    source: str
    target: str
    data: bytes

    @property
    def message(self) -> Message:
        """What it says."""
        return decode_message(self.data)


class Running:
    """One machine of a node that is up: its effects in order, and its timers by name."""

    def __init__(self, node: Node, machine: Manager | Engine, disk: Disk) -> None:
        self.node = node
        self.disk = disk
        self.other = self
        self.timers: dict[str, int] = {}
        self._handle: Callable[[int, Any], Effects] = machine.handle
        self._queue: deque[Effect] = deque()
        self._busy = False

    def step(self, event: Any) -> None:
        """Let the machine handle an event and perform what it wants done, unless it is at that already."""
        effects = self._handle(self.node.clock_ms, event)
        for effect in effects:
            if isinstance(effect, Store):
                self.disk.write(effect.writes)
        self._queue.extend(effects)
        if not self._busy:
            self.perform()

    def perform(self) -> None:
        """Perform effects until there are none, or until a store finds the disk stalled."""
        self._busy = True
        while self._queue:
            if isinstance(self._queue[0], Store) and self.node.stalled:
                return
            self._perform(self._queue.popleft())
        self._busy = False

    def _perform(self, effect: Effect) -> None:
        network = self.node.network
        network.watch(self.node, effect)
        match effect:
            case Store():
                self.disk.sync()
            case Forward(event):
                self.node.check_durable(event)
                if isinstance(event, ViewContext | CertificateStored):
                    self.node.context = event if isinstance(event, ViewContext) else event.context
                self.other.step(event)
            case Send(peer, data):
                network.post(self.node, [peer], data)
            case Broadcast(data):
                network.post(self.node, self.node.peers, data)
            case SetTimer(timer, at_ms):
                self.timers[timer] = at_ms
            case CancelTimer(timer):
                self.timers.pop(timer, None)
            case Observe(Signed(vote)):
                self.node.check_honest(vote)
            case Observe(BlockFinal() as fact):
                network.check_agreement(fact)
            case Observe() | Respond():
                pass  # the narrator tells of them
            case Submit() | BeginFetch() | TakePart() | EndFetch() | Provided():
                raise AssertionError("neither session anchoring nor a data chain is here")
            case _:
                assert_never(effect)


class Node:
    """A node: its name, its key, its disks, its clock, and its machines while it is up."""

    def __init__(self, network: Network, name: str, secret: bytes) -> None:
        self.network = network
        self.name = name
        self.secret = secret
        self.key = network.crypto.public_key(secret)
        self.engine_disk, self.manager_disk = Disk(), Disk()
        self.offset_ms = 0
        self.stalled = False
        self.context: ViewContext | None = None
        self.running: tuple[Running, ...] = ()
        self._signed: dict[tuple[int, int], dict[int, bytes]] = {}

    @property
    def peers(self) -> tuple[bytes, ...]:
        """Keys of the other nodes."""
        keys = [node.key for node in self.network.nodes.values() if node.key != self.key]
        return tuple(dict.fromkeys(keys))

    @property
    def clock_ms(self) -> int:
        """What this node's clock shows."""
        return self.network.genesis.genesis_time_ms + self.network.now_ms + self.offset_ms

    def start(self) -> None:
        """Start both machines from what the disks hold."""
        network = self.network
        manager = Manager(self.key, network.genesis, network.crypto, self.manager_disk.seen, self.peers, network.limits)
        engine = Engine(self.secret, network.genesis, network.crypto, self.engine_disk.seen, network.limits)
        self.running = Running(self, manager, self.manager_disk), Running(self, engine, self.engine_disk)
        self.running[0].other, self.running[1].other = self.running[1], self.running[0]
        self.running[1].step(Started())
        self.running[0].step(Started())

    def crash(self) -> None:
        """Stop at once; what was not synced is lost."""
        self.running, self.context, self.stalled = (), None, False
        self.engine_disk.crash()
        self.manager_disk.crash()

    def resume(self) -> None:
        """The disks work again: go on with what waited for them."""
        self.stalled = False
        for running in self.running:
            running.perform()

    def check_durable(self, event: Any) -> None:
        """What one machine tells the other rests on what is safe."""
        match event:
            case BroadcastVote(vote) | Publish(vote, _, _):
                self._check_logged(vote)
            case Retransmit(_, _, votes):
                for vote in votes:
                    self._check_logged(vote)
            case CertificateStored(certificate, _, _):
                assert self._is_safe(certificate), f"{self.name}: the engine hears of a certificate that is not safe"
            case Verdict():
                safe = self.manager_disk.safe.get(BLOCK_TABLE, event.block)
                assert safe is not None, f"{self.name}: the engine hears of a block that is not safe"
            case Finalized():
                safe = self.manager_disk.safe.get(HEIGHT_TABLE, height_key(event.height))
                assert safe is not None, f"{self.name}: the engine hears of a final block that is not safe"

    def check_honest(self, vote: Vote) -> None:
        """No vote of this node was signed before, nor one that contradicts it (protocol section 4)."""
        signed = self._signed.setdefault((vote.epoch, vote.view), {})
        assert vote.kind not in signed, f"{self.name} signs twice: {vote}"
        assert vote.kind != NOTARIZE or SKIP not in signed, f"{self.name} notarizes after its skip: {vote}"
        signed[vote.kind] = vote.block
        assert not {SKIP, FINALIZE} <= signed.keys(), f"{self.name} signs skip and finalize: {vote}"

    def _check_logged(self, vote: Vote) -> None:
        log = VoteLog(self.engine_disk.safe)
        assert log.votes((vote.epoch, vote.view)).get(vote.kind) == vote, f"{self.name}: not in its vote log: {vote}"

    def check_sent(self, message: Message) -> None:
        """A certificate is safe before it is forwarded."""
        if isinstance(message, CertificateMessage):
            assert self._is_safe(message.certificate), f"{self.name} forwards a certificate that is not safe"

    def _is_safe(self, certificate: Certificate) -> bool:
        table = FINALITY_TABLE if certificate.kind == FINALIZE else CERTIFICATE_TABLE
        return encode(certificate) in [data for _, data in self.manager_disk.safe.scan(table)]


class Network:
    """Nodes by name, the messages between them, and the time since genesis in milliseconds."""

    def __init__(self, genesis: Genesis, crypto: Crypto, limits: Limits, watch: Watcher) -> None:
        self.genesis = genesis
        self.crypto = crypto
        self.limits = limits
        self.watch = watch
        self.nodes: dict[str, Node] = {}
        self.pool: list[Envelope] = []
        self.mutes: list[Callable[[Envelope], bool]] = []
        self.now_ms = 0
        self._final: dict[int, bytes] = {}

    def add(self, name: str, secret: bytes) -> Node:
        """A node whose key has signed nothing yet."""
        node = self.nodes[name] = Node(self, name, secret)
        node.engine_disk.write((new_log(),))
        node.engine_disk.sync()
        return node

    def twin(self, node: Node) -> Node:
        """A second node with the key of the first and copies of its disks: what an operator must never start."""
        twin = Node(self, node.name + "'", node.secret)
        twin.engine_disk, twin.manager_disk = node.engine_disk.copy(), node.manager_disk.copy()
        self.nodes[twin.name] = twin
        return twin

    def post(self, source: Node, peers: Iterable[bytes], data: bytes) -> None:
        """Put a message for each peer into the pool, but for those that are muted."""
        source.check_sent(decode_message(data))
        for peer in peers:
            for target in [node.name for node in self.nodes.values() if node.key == peer]:
                envelope = Envelope(source.name, target, data)
                if not any(mute(envelope) for mute in self.mutes):
                    self.pool.append(envelope)

    def take(self, wanted: Callable[[Envelope], bool]) -> list[Envelope]:
        """Take messages out of the pool, oldest first."""
        taken = [envelope for envelope in self.pool if wanted(envelope)]
        self.pool = [envelope for envelope in self.pool if not wanted(envelope)]
        return taken

    def deliver(self, envelopes: Iterable[Envelope]) -> None:
        """Let messages arrive; a node that is down does not hear them."""
        for source, target, data in envelopes:
            node = self.nodes[target]
            if node.running:
                node.running[0].step(Received(self.nodes[source].key, data))

    def stabilize(self) -> None:
        """Deliver messages, and those that they cause, until there are none."""
        delivered = 0
        while self.pool:
            batch, self.pool = self.pool, []
            self.deliver(batch)
            delivered += len(batch)
            assert delivered < MAX_STEPS, "messages cause each other forever"

    def advance(self, until_ms: int, *, deliver: bool) -> None:
        """Move the clock on and fire what is due on the way; with `deliver`, messages take no time."""
        if deliver:
            self.stabilize()
        for _ in range(MAX_STEPS):
            due = [
                (max(running.timers[name] - node.clock_ms, 0) + self.now_ms, place, name, running)
                for place, (node, running) in enumerate(
                    (node, running) for node in self.nodes.values() for running in node.running
                )
                for name in running.timers
            ]
            first = min(due, key=lambda each: each[:3], default=None)
            if first is None or first[0] > until_ms:
                self.now_ms = until_ms
                return
            self.now_ms, _, name, running = first
            del running.timers[name]
            running.step(TimerFired(name))
            if deliver:
                self.stabilize()
        raise AssertionError("timers set each other forever")

    def check_agreement(self, fact: BlockFinal) -> None:
        """No two nodes hold different blocks for final at one height."""
        known = self._final.setdefault(fact.height, fact.hash)
        assert known == fact.hash, f"two final blocks at height {fact.height}"

    def check_stores(self) -> None:
        """Every node has the blocks that are final for it, from genesis or its snapshot on."""
        for node in self.nodes.values():
            heights = []
            for key, hash_ in node.manager_disk.safe.scan(HEIGHT_TABLE):
                heights.append(int.from_bytes(key, "big"))
                assert node.manager_disk.safe.get(BLOCK_TABLE, hash_), f"{node.name} lost the block at {heights[-1]}"
            assert not heights or heights == list(range(heights[0], heights[-1] + 1)), f"{node.name} has gaps"


def secret_of(number: int) -> bytes:
    """The secret of the node of a number."""
    return _secret(number.to_bytes(2, "big"))
