"""A tree that has nothing to do with Lucid: a shop that keeps its orders in a file, a front that asks it, a worker."""

from __future__ import annotations

from pathlib import Path

from tests.smoke.cases import Changes, write_files

SERVER = """\
import json, os, signal, sys, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

NAME, ODD = os.environ["NAME"], os.environ.get("ODD", "").split()
SHOP = os.environ.get("SHOP", "")
ORDERS = Path(os.environ["DATA"]) / "orders"
LOCK = Path(os.environ["DATA"]) / "lock"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *words):
        pass

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        if self.path == "/health":
            status = "degraded" if "degraded" in ODD else "healthy"
            self.answer(503 if "degraded" in ODD else 200, {"status": status, "service": NAME})
        elif self.path == "/orders":
            self.answer(500 if "fails" in ODD else 200, ORDERS.read_text().split() if ORDERS.exists() else [])
        elif self.path == "/shop":
            self.answer(200, json.load(urllib.request.urlopen(SHOP + "/orders", timeout=5)))
        elif "crashes" in ODD:
            self.answer(500, "what?")
        else:
            self.answer(404, "no such path")

    def do_POST(self):
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/orders":
            self.answer(404, "no such path")
        elif not data:
            self.answer(400, "an order is wanted")
        else:
            with ORDERS.open("ab") as file:
                file.write(data + b"\\n")
            self.answer(201, "ordered")


if "dies" in ODD:
    sys.exit("there is no database")
if "locks" in ODD:
    if LOCK.exists():
        sys.exit("locked: it has not ended well")
    LOCK.touch()
if "deaf" in ODD:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "clings" in ODD:
    import threading, time

    def watch():
        while True:
            try:
                urllib.request.urlopen(SHOP + "/health", timeout=5)
            except OSError:
                if seen:
                    os._exit(3)
            else:
                seen.append(True)
            time.sleep(0.05)

    seen = []
    threading.Thread(target=watch, daemon=True).start()
ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""
MANIFEST = """\
title = "Shop"

[live]
start_s = 60
grace_s = 5

[[service]]
name = "shop"
dockerfile = "Dockerfile"
port = 9001
service = "shop"
health = "/health"
endpoints = ["GET /orders", "POST /orders", "GET /orders/{number}"]
command = ["{python}", "{root}/server.py"]
environment = { NAME = "shop", PORT = "{port}", DATA = "{data}" }
writes = ["/data"]
"""
FRONT = """
[[service]]
name = "front"
dockerfile = "Dockerfile"
port = 9002
health = "/health"
endpoints = ["GET /shop"]
command = ["{python}", "{root}/server.py"]
environment = { NAME = "front", PORT = "{port}", DATA = "{data}", SHOP = "{url:shop}" }
"""
WORKER = """
[[service]]
name = "worker"
dockerfile = "Dockerfile"
command = ["{python}", "-c", "import time; time.sleep(3600)"]
"""


def write_shop(folder: Path, manifest: str = MANIFEST, changes: Changes | None = None) -> Path:
    """Write the tree."""
    dockerfile = 'FROM python:3.12-slim\nCOPY server.py /\nCMD ["python", "/server.py"]\n'
    files = {"server.py": SERVER, "Dockerfile": dockerfile, "smoke.toml": manifest}
    return write_files(folder, {**files, **(changes or {})})
