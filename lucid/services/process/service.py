"""What the four services share: store, identity, genesis, HTTP."""

from __future__ import annotations

import fcntl
import secrets
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, ClassVar

import trio

from lucid.api.services import NodeService
from lucid.chain.codec import prepare
from lucid.chain.document import parse_genesis
from lucid.chain.errors import GenesisError
from lucid.chain.genesis import Genesis
from lucid.poot.crypto import Edwards25519
from lucid.services.process.ballast import make_way
from lucid.services.process.cache import ReadCache
from lucid.services.process.config import Config, ConfigError, read_text
from lucid.services.process.keyfile import read_id
from lucid.services.process.registration import Registration, describe, own_address
from lucid.services.process.storeroom import StoreRoom
from lucid.services.web.health import STORE_FAILING, Condition
from lucid.services.web.limits import SharedLimits
from lucid.services.web.problems import Problem
from lucid.services.web.redis import Redis
from lucid.services.web.serve import listen, serve
from lucid.services.web.tokens import Tokens
from lucid.services.web.web import Web
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged, StoreError, StoreOther
from lucid.storage.identity import Identity, claim
from lucid.storage.interface import Store
from lucid.storage.opening import open_store, shown, store_folder

ANSWERS_S = 0.4
"""How long answers that wait for the store may still take once the service stops."""


class Service(ABC):
    """One service of a node. Subclasses register their routes and say in `work` what else runs."""

    listed: ClassVar[NodeService]

    def __init__(self, config: Config) -> None:
        """Read the node's id and genesis and open the store. Raises `LucidError` naming what is wrong."""
        prepare()
        self.config = config
        self.crypto = Edwards25519()
        self.genesis = read_genesis(config.genesis)
        self.key = read_id(config.id_file)
        self.unlock()
        config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _locked(config.data_dir / f"{self.listed.key}.lock")
        try:
            self.store = DurableStore(self._open_store())
        except BaseException:
            self._lock.close()
            raise
        self.ended = trio.Event()
        self.lasting: set[trio.CancelScope] = set()
        self.at_end: list[Callable[[], None]] = []
        """What lets those go without an answer who wait for the store to take something, when the service stops."""
        tokens = Tokens(config.token, config.operator_token, config.api_tokens)
        self.web = Web(self.listed.name, config.loopback, tokens, config.requests_per_second)
        self.web.checks += [lambda: _failing(self.store.damage), lambda: _failing(self.store.trouble)]
        place = store_folder(config.store_url(self.listed.key))
        self._room = None if place is None or self.keeps_reserve(place) else StoreRoom(place)
        if self._room is not None:
            self.web.checks.append(self._room.condition)
        self.redis = Redis(config.redis_url) if config.redis_url else None
        # What Redis holds is authenticated under it; without one nobody else can read what this process puts there.
        self._shared_secret = (config.token or secrets.token_hex()).encode()
        self.cache = ReadCache(self.redis, self.genesis.chain_id, self._shared_secret)
        if self.redis is not None:
            self._share(self.redis)
        self.web.gauge("store_commits", "Commits since the start.", lambda: self.store.commits)

    def _open_store(self) -> Store:
        """This service's store; raises `StoreOther` for one that is somebody else's."""
        url = self.config.store_url(self.listed.key)
        make_way(self.config.data_dir, self.ballast)
        store = open_store(url, password=self.config.store_password)
        try:
            mark = self.config.data_dir / f"{self.listed.key}.home"
            self._used = mark.exists()
            identity = Identity(self.genesis.chain_id, self.key, self.listed.key)
            claim(store, identity, mark, self.may_begin_anew(self._used))
            store.hold(self.config.data_dir / f"{self.listed.key}.lock")
        except BaseException as error:
            self._part_with(store)
            if isinstance(error, StoreOther):
                raise StoreOther(f"{shown(url)}: {error.detail}") from None
            raise
        return store

    def _part_with(self, store: Store) -> None:
        """Close a store that this service will not use, because its start was refused.

        If this start created it, it is removed again where the data folder had been used with another store (this one
        was made in the wrong place), or where nothing was written to it. If the folder is new, its mark names the new
        store by now, so it is kept for the next start."""
        if store.made and (self._used or not store.tables()):
            store.unmake()
        else:
            store.close()

    def abandon(self) -> None:
        """Let go of the store and the folder where the service is not to run after all, because another is not."""
        self._part_with(self.store.store)
        self._lock.close()

    def may_begin_anew(self, used: bool) -> bool:
        """Whether nothing is lost by beginning with an empty store, although the data folder was `used` with one."""
        return True

    def keeps_reserve(self, folder: Path) -> bool:
        """Whether it watches the disk of its store's folder itself, for more than its store."""
        return False

    @property
    def ballast(self) -> Path:
        """The file that is let go when the disk is full."""
        return self.config.data_dir / f"{self.listed.key}.ballast"

    def check_store(self) -> None:
        """Raise `Problem` where the store can take nothing now: 507 where it has no room, else 503."""
        error = self.store.damage or self.store.trouble
        if error is not None:
            raise Problem(error.code, error.sentence)

    @contextmanager
    def lasts(self, scope: trio.CancelScope) -> Iterator[None]:
        """Within it, `scope` is cancelled when the service stops: for what would last longer than an answer."""
        self.lasting.add(scope)
        try:
            yield
        finally:
            self.lasting.discard(scope)

    def _share(self, redis: Redis) -> None:
        """What several instances have in common when a Redis is configured."""
        self.web.checks.append(lambda: redis.trouble)
        per_second = self.config.requests_per_second
        self.web.admission.shared = SharedLimits(redis, self.listed.name, per_second, self._shared_secret)
        self.web.gauge("cache_hits", "Reads that the cache answered since the start.", lambda: self.cache.hits)
        self.web.gauge("cache_misses", "Reads that it could not answer.", lambda: self.cache.misses)

    def unlock(self) -> None:  # noqa: B027 - most services need nothing
        """Read what only this service may know, before anything is opened. Raises `LucidError`."""

    @abstractmethod
    async def work(self, task_status: trio.TaskStatus[None]) -> None:
        """What the service does beside answering; says `started` when it is ready."""

    async def run(self, stop: trio.Event, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until `stop`; reports the port that it listens at. Raises what ended it otherwise."""
        listening = None
        try:
            listening = open_port(self.config.bind, self.config.port, "bind and port")
            port = listening.getsockname()[1]
            async with trio.open_nursery() as nursery:
                starting = trio.CancelScope()

                async def give_up() -> None:
                    """A stop does not wait for a start that waits for its store."""
                    with starting:
                        await stop.wait()
                        self.store.end()
                        task_status.started(port)
                        nursery.cancel_scope.cancel()

                nursery.start_soon(give_up)
                await nursery.start(self.store.run)
                if self._room is not None:
                    nursery.start_soon(self._room.run)
                if self.redis is not None:
                    await nursery.start(self.redis.run)
                await nursery.start(self._work)
                starting.cancel()
                async with trio.open_nursery() as serving:
                    serving.start_soon(self._hang_up, stop)

                    async def served(task_status: trio.TaskStatus[None]) -> None:
                        await serve(self.web.app, listening, stop, self._tls(), self.web.edge, task_status)
                        serving.cancel_scope.cancel()

                    await serving.start(served)
                    if self.config.consul_url:
                        serving.start_soon(self._register_until, stop, port)
                    serving.start_soon(self.web.watch)
                    self.web.ready = True
                    task_status.started(port)
                self.store.end()
                nursery.cancel_scope.cancel()
        finally:
            self.ended.set()
            if listening is not None:
                listening.close()
            self.close()

    def close(self) -> None:
        """Let go of the store and the folder; `run` does so at its end."""
        self.store.store.close()
        self._lock.close()

    async def _work(self, task_status: trio.TaskStatus[None]) -> None:
        """What the service does, until it is done or its store is of no more use to it."""
        begun = _Begun(task_status)
        try:
            await self.work(begun)
        except* StoreDamaged:
            begun.started()  # the store has logged it and says so; what needs none of it is answered
        except* StoreError:
            if not self.store.ended:
                raise

    async def _register_until(self, stop: trio.Event, port: int) -> None:
        """Keep the service known to Consul while it runs."""
        config = self.config
        address = own_address(config.advertise, config.bind)
        entry = describe(self.listed.name, self.key, address, port, "http" if config.tls_cert is None else "https")
        registration = Registration(config.consul_url, config.consul_token, config.trust(), entry)
        self.web.checks.append(lambda: registration.trouble)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(registration.run)
            await stop.wait()
            nursery.cancel_scope.cancel()

    def _tls(self) -> tuple[Path, Path] | None:
        cert, key = self.config.tls_cert, self.config.tls_key
        return None if cert is None or key is None else (cert, key)

    async def _hang_up(self, stop: trio.Event) -> None:
        """Connections that last end first, so that those who are served wait only for answers under way."""
        await stop.wait()
        self.web.ready = False
        for scope in self.lasting:
            scope.cancel()
        await trio.sleep(ANSWERS_S)
        self.store.end()
        for give_up in self.at_end:
            give_up()


class _Begun:
    """Passes on, once, that something has started."""

    def __init__(self, status: trio.TaskStatus[None]) -> None:
        self._status: trio.TaskStatus[None] | None = status

    def started(self, value: None = None) -> None:
        """See `trio.TaskStatus`."""
        status, self._status = self._status, None
        if status is not None:
            status.started(value)


def _failing(error: StoreError | None) -> Condition | None:
    return None if error is None else Condition(STORE_FAILING, error.sentence, error.remedy)


def open_port(bind: str, port: int, keys: str) -> socket.socket:
    """A socket that listens there. Raises `ConfigError` naming the settings, `keys`, that say so."""
    try:
        return listen(bind, port)
    except OSError as error:
        raise ConfigError(f"{keys}: it cannot listen at {bind}:{port}: {error.strerror or error}") from None


def _locked(path: Path) -> BinaryIO:
    """A file that is this process's alone while it is open: two engines of one key would sign twice."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise ConfigError(f"data_dir: another process holds {path}") from None
    return file


def read_genesis(path: Path) -> Genesis:
    """The genesis document at `path`; raises `GenesisError`."""
    try:
        text = read_text(path)
    except FileNotFoundError:
        said = f"there is no {path}: get the one that the other nodes have, or begin a chain with `lucid genesis new`"
        raise GenesisError(said) from None
    except OSError as error:
        raise GenesisError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise GenesisError(f"{path}: {error}") from None
    return parse_genesis(text)
