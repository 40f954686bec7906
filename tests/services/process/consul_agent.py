#!/usr/bin/env python3
"""A stand-in for a Consul agent, where none can be had: `consul_agent.py agent -dev -client=ADDRESS -http-port=PORT`.

It answers what the services and `lucid smoke live` ask of an agent, as documented under
developer.hashicorp.com/consul/api-docs/agent, and asks for the health of what is registered. It lets everybody do
everything, keeps nothing, and needs Python alone.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import re
import socketserver
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler
from typing import Any

VERSION = "stand-in"
UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0}
IGNORED = ("bind", "server-port", "serf-lan-port", "serf-wan-port", "dns-port", "grpc-port", "grpc-tls-port", "hcl")

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Registered(threading.Thread):
    """A service that is registered: its health is asked for at the interval that it named, until it is `gone`."""

    def __init__(self, entry: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self.entry = entry
        self.gone = threading.Event()
        self.status, self.output = "critical", ""

    def run(self) -> None:
        """Ask, the first time at a random moment of the interval, as a real agent does."""
        check = self.entry["Check"]
        interval_s = seconds(check["Interval"])
        pause_s = random.uniform(0, interval_s)
        while not self.gone.wait(pause_s):
            self.status, self.output = ask(check["HTTP"], seconds(check["Timeout"]))
            pause_s = interval_s


class Agent(socketserver.ThreadingTCPServer):
    """The agent: `serve_forever` runs it; what it was told is in `known`, by id. (An HTTPServer asks the DNS first.)"""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: str, port: int) -> None:
        super().__init__((address, port), Handler)
        self.known: dict[str, Registered] = {}
        self.tokens: set[str | None] = set()

    def register(self, entry: dict[str, Any]) -> None:
        """Know a service, in place of the one that had its id."""
        self.deregister(entry["ID"])
        self.known[entry["ID"]] = Registered(entry)
        self.known[entry["ID"]].start()

    def deregister(self, identity: str) -> bool:
        """Forget a service; whether it was known."""
        service = self.known.pop(identity, None)
        if service is not None:
            service.gone.set()
        return service is not None

    def server_close(self) -> None:
        """Listen no more, and ask for nobody's health."""
        super().server_close()
        for identity in [*self.known]:
            self.deregister(identity)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Agent

    def do_GET(self) -> None:
        """What is asked."""
        self.server.tokens.add(self.headers["X-Consul-Token"])
        known = dict(self.server.known)
        identity = self.path.removeprefix("/v1/agent/service/")
        if self.path == "/v1/agent/self":
            self._answer(200, {"Config": {"Version": VERSION}})
        elif self.path == "/v1/agent/checks":
            self._answer(200, {f"service:{key}": _check(service) for key, service in known.items()})
        elif identity in known:
            self._answer(200, {"ID": identity, "Service": known[identity].entry["Name"]})
        else:
            self._answer(404)

    def do_PUT(self) -> None:
        """What is told."""
        self.server.tokens.add(self.headers["X-Consul-Token"])
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.path == "/v1/agent/service/register":
            self.server.register(json.loads(body))
            self._answer(200)
        else:
            identity = self.path.removeprefix("/v1/agent/service/deregister/")
            self._answer(200 if self.server.deregister(identity) else 404)

    def _answer(self, status: int, content: Any = None) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not worth a line."""


def _check(service: Registered) -> dict[str, str]:
    entry = service.entry
    named = {"CheckID": f"service:{entry['ID']}", "ServiceID": entry["ID"], "ServiceName": entry["Name"]}
    return {**named, "Status": service.status, "Output": service.output}


def ask(url: str, timeout_s: float) -> tuple[str, str]:
    """The status that a health check's answer stands for, and what was said."""
    try:
        with _direct.open(url, timeout=timeout_s) as response:
            return "passing", f"HTTP GET {url}: {response.status}"
    except urllib.error.HTTPError as error:
        with error:
            status = "warning" if error.code == 429 else "critical"
            return status, f"HTTP GET {url}: {error.code} {error.read(500).decode(errors='replace')}"
    except (OSError, http.client.HTTPException) as error:
        return "critical", f"HTTP GET {url}: {error}"


def seconds(duration: str) -> float:
    """A duration as Go writes it, of one unit."""
    found = re.fullmatch(r"(\d+)(ms|s|m)", duration)
    if found is None:
        raise ValueError(f"{duration!r} is not a duration")
    return int(found[1]) * UNITS_S[found[2]]


def main() -> None:
    """Run until it is ended."""
    parser = argparse.ArgumentParser(description="A stand-in for a Consul agent.", allow_abbrev=False)
    parser.add_argument("command", choices=["agent"])
    parser.add_argument("-dev", action="store_true", required=True)
    parser.add_argument("-client", required=True)
    parser.add_argument("-http-port", type=int, required=True)
    for flag in IGNORED:
        parser.add_argument(f"-{flag}")
    options = parser.parse_args()
    with Agent(options.client, options.http_port) as agent:
        agent.serve_forever()


if __name__ == "__main__":
    main()
