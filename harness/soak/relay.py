"""A relay of one connection between two nodes, which can be cut or delayed."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

from lucid.services.process.ports import free_ports

PART_BYTES = 1 << 16
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER by which closing resets a connection."""
Delay = Callable[[], float]
"""Draws how many seconds the next piece takes one way."""


class Relay:
    """Takes connections to one node from another one, and passes on what they carry."""

    def __init__(self, target: int, there: Delay | None = None, back: Delay | None = None) -> None:
        """`target` is the port; what is passed on takes as long as `there` and `back` draw, or no time."""
        [self.port] = free_ports(1)
        self._target = target
        self._there, self._back = there, back
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._open = threading.Event()
        self._open.set()
        self._refusing = False
        self._listening = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, silently: bool) -> None:
        """Pass nothing on: as of a cable that is out, or with every connection reset and refused."""
        self._open.clear()
        if not silently:
            with self._lock:
                self._refusing = True
                pairs, self._pairs = self._pairs, []
            for pair in pairs:
                for each in pair:
                    with suppress(OSError):
                        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                        each.shutdown(socket.SHUT_RDWR)
                    each.close()
            self._open.set()

    def mend(self) -> None:
        """Pass on again: what was held, too, as a network does."""
        self._refusing = False
        self._open.set()

    def close(self) -> None:
        """Take no more connections."""
        self.cut(silently=False)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):  # it is closed
            while True:
                from_, _ = self._listening.accept()
                threading.Thread(target=self._connect, args=(from_,), daemon=True).start()

    def _connect(self, from_: socket.socket) -> None:
        self._open.wait()
        if self._refusing:
            from_.close()
            return
        try:
            to = socket.create_connection(("127.0.0.1", self._target), 5)
        except OSError:
            from_.close()
            return
        to.settimeout(None)
        with self._lock:
            refused = self._refusing
            if not refused:
                self._pairs.append((from_, to))
        if refused:
            from_.close()
            to.close()
            return
        back = threading.Thread(target=self._pump, args=(to, from_, self._back), daemon=True)
        back.start()
        self._pump(from_, to, self._there)
        back.join()
        with self._lock:
            if (from_, to) in self._pairs:
                self._pairs.remove((from_, to))
        from_.close()
        to.close()

    def _pump(self, from_: socket.socket, to: socket.socket, delay: Delay | None) -> None:
        if delay is not None:
            self._pump_late(from_, to, delay)
            return
        with suppress(OSError):
            while data := from_.recv(PART_BYTES):
                self._open.wait()
                to.sendall(data)
            self._open.wait()
            to.shutdown(socket.SHUT_WR)
            return
        with suppress(OSError):
            to.shutdown(socket.SHUT_RDWR)

    def _pump_late(self, from_: socket.socket, to: socket.socket, delay: Delay) -> None:
        """Pass on each piece when it is due, in order; how long one takes does not hold up the reading of the next."""
        to.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pieces: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
        writer = threading.Thread(target=self._write_when_due, args=(pieces, to), daemon=True)
        writer.start()
        due = 0.0
        with suppress(OSError):
            while data := from_.recv(PART_BYTES):
                due = max(due, time.monotonic() + delay())
                pieces.put((due, data))
        pieces.put((due, b""))
        writer.join()

    def _write_when_due(self, pieces: SimpleQueue[tuple[float, bytes]], to: socket.socket) -> None:
        with suppress(OSError):
            while True:
                due, data = pieces.get()
                time.sleep(max(0.0, due - time.monotonic()))
                self._open.wait()
                if not data:
                    to.shutdown(socket.SHUT_WR)
                    return
                to.sendall(data)
        with suppress(OSError):
            to.shutdown(socket.SHUT_RDWR)
