"""A node that answers whatever a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest

from lucid.client import Client, ClientError, calls

DEEP = b'{"error": ' + b"[" * 100_000
"""JSON that nests deeper than any reader of it goes."""


class Answer(NamedTuple):
    """What is answered: a body in parts, which may never end."""

    status: int = 200
    body: bytes | Callable[[], Iterator[bytes]] = b"{}"
    headers: tuple[tuple[str, str], ...] = ()


class LyingNode:
    """Answers by the end of a request's path; `asked` are the requests, `references` are names of chunks with the
    query that they were stored by."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: dict[str, Answer | list[Answer]] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.chunks: dict[str, bytes] = {}
        self.references: set[tuple[str, str]] = set()

    def client(self, token: str = "") -> Client:
        """A client of it."""
        return Client(self.url, self.url, token)

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """What is answered to a request; of several, one after the other and the last one again."""
        self.asked.append(f"{method} {path}")
        bare, _, query = path.partition("?")
        for end, answer in self.answers.items():
            kind, _, tail = end.rpartition(" ")
            if bare.endswith(tail) and kind in ("", method):
                if isinstance(answer, list):
                    return answer.pop(0) if len(answer) > 1 else answer[0]
                return answer
        name = bare.rpartition("/")[2]
        if method == "PUT":
            self.chunks[name] = body
            self.references.add((name, query))
            return Answer(201)
        if method == "DELETE" and self._removed(bare, name, query):
            return Answer(body=json.dumps({"session": name, "owner": "", "references": 1}).encode())
        if name in self.chunks and (method != "HEAD" or not query or (name, query) in self.references):
            return Answer(200, self.chunks[name])
        error = {"code": "LUCID_ERR_3002", "message": "there is no such thing"}
        return Answer(404, json.dumps({"error": error}).encode())

    def _removed(self, path: str, name: str, query: str) -> bool:
        """Take a chunk away, or all that sessions refer to; returns whether there was something."""
        there = bool(self.references) if "/sessions/" in path else name in self.chunks
        if "/sessions/" in path:
            self.references.clear()
            self.chunks.clear()
        elif there:
            del self.chunks[name]
            self.references.discard((name, query))
        return there


@contextmanager
def lying_node() -> Iterator[LyingNode]:
    """Such a node on loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            node.headers.append(dict(self.headers))
            answer = node.answer(self.command, self.path, body)
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            if isinstance(answer.body, bytes):
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(b"" if self.command == "HEAD" else answer.body)
                return
            self.send_header("Connection", "close")
            self.end_headers()
            try:
                for part in answer.body():
                    self.wfile.write(part)
            except OSError:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    node = LyingNode(f"http://127.0.0.1:{server.server_port}")
    try:
        yield node
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def refused(node: LyingNode, call: calls.Call[Any]) -> ClientError:
    """What the client says."""
    with node.client() as client, pytest.raises(ClientError) as caught:
        client.send(call)
    return caught.value
