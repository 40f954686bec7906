"""`lucid bench services`: a devnet of four nodes against bare handlers and plain files, in one run."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.bench.pressure import bench_pressure
from harness.bench.row import Row, Say
from harness.bench.writes import bench_writes
from lucid.chain.chunks import chunk_id
from lucid.chain.manifests import sign_manifest
from lucid.poot.crypto import Edwards25519
from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES, DevNode
from lucid.services.process.ports import free_ports

WRITES = "writes"
SERVICE_PARTS = ("start", "json", "chunks", "anchoring", "light", "pressure", "stop")
NODES = 4
INTERVAL_MS = 10_000
ROUNDS = 3
SECONDS = 2.0
CHUNK_BYTES = 8 << 20
CHUNKS = 12
ANCHORS_PER_S = 100
ANCHORING_S = 60
LIGHT_SESSIONS = 40
LIGHT_PAUSE_S = 1.7
OWNER = bytes(range(32))

BARE = """
import sys, trio
from quart_trio import QuartTrio
from lucid.services.web.serve import listen, serve
app = QuartTrio("bare")
@app.get("/")
async def bare():
    return {"node": "x" * 64, "connected": True, "epoch": 0, "view": 1, "validator": True, "height": 1}
trio.run(serve, app, listen("127.0.0.1", int(sys.argv[1])), trio.Event())
"""


def bench_services(only: Sequence[str] | None, say: Say) -> list[Row]:
    """Measure the parts asked for, all by default; `say` is told what is going on."""
    rows: list[Row] = []
    if not only or WRITES in only:
        rows += bench_writes(say)
    if only and set(only) == {WRITES}:
        return rows
    with TemporaryDirectory(prefix="lucid-bench-") as folder:
        say(f"start: {NODES} nodes")
        began = time.monotonic()
        with Devnet(Path(folder), NODES, INTERVAL_MS) as network:
            measures: dict[str, Callable[[], list[Row]]] = {
                "start": lambda: _start(network, time.monotonic() - began),
                "json": lambda: _json(network.nodes[0], say),
                "chunks": lambda: _chunks(network.nodes[0], Path(folder), say),
                "anchoring": lambda: _anchoring(network, say),
                "light": lambda: _light(network, say),
                "pressure": lambda: _pressure(network, say),
                "stop": lambda: _stop(network),
            }
            for part in SERVICE_PARTS:
                if not only or part in only:
                    rows += measures[part]()
    return rows


def _start(network: Devnet, healthy_s: float) -> list[Row]:
    peak = max(_resident_mib(process.pid) for node in network.nodes for process in node.processes.values())
    count = NODES * len(SERVICES)
    return [
        Row("start", f"{count} services at once, start to healthy: seconds", healthy_s, "at most 2", healthy_s <= 2),
        Row("start", "resident memory of the largest service, idle: MiB", peak, "below 120", peak < 120),
    ]


def _json(node: DevNode, say: Say) -> list[Row]:
    [port] = free_ports(1)
    with subprocess.Popen([sys.executable, "-c", BARE, str(port)]) as bare:
        try:
            _await_port(port)
            shares, ours = [], 0.0
            for turn in range(ROUNDS):
                say(f"json: round {turn + 1} of {ROUNDS}")
                plain = _requests_per_s(port, "/")
                ours = max(ours, _requests_per_s(node.ports["engine"], "/consensus/status"))
                shares.append(_requests_per_s(node.ports["engine"], "/consensus/status") / plain)
        finally:
            bare.terminate()
    share = sorted(shares)[ROUNDS // 2]
    return [
        Row("json", "GET /consensus/status: requests/s, best", ours, "", None),
        Row("json", f"share of a bare Quart handler, median of {ROUNDS}", share, "at least 0.6", share >= 0.6),
    ]


def _requests_per_s(port: int, path: str) -> float:
    """Requests/s that one connection gets, one after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        assert response.status == 200, f"{path} answers {response.status}"
        count += 1
    connection.close()
    return count / (time.perf_counter() - began)


def _chunks(node: DevNode, folder: Path, say: Say) -> list[Row]:
    say("chunks: 8 MiB each")
    session = uuid.uuid4()
    connection = http.client.HTTPConnection("127.0.0.1", node.ports["data"], timeout=30)
    headers = {"Authorization": f"Bearer {node.token}"}
    shares, best = [], 0.0
    for _ in range(CHUNKS):
        data = os.urandom(CHUNK_BYTES)
        path = f"/chunks/{chunk_id(data).hex()}?session={session}"
        began = time.perf_counter()
        connection.request("PUT", path, body=data, headers=headers)
        response = connection.getresponse()
        response.read()
        put_s = time.perf_counter() - began
        assert response.status == 201, f"PUT answers {response.status}"
        began = time.perf_counter()
        with (folder / "plain").open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        plain_s = time.perf_counter() - began
        shares.append(plain_s / put_s)
        best = max(best, CHUNK_BYTES / put_s / (1 << 20))
    connection.close()
    share = sorted(shares)[CHUNKS // 2]
    return [
        Row("chunks", "PUT of 8 MiB, durable: MiB/s, best", best, "", None),
        Row("chunks", f"share of writing and syncing a file, median of {CHUNKS}", share, "at least 0.5", share >= 0.5),
    ]


def _anchoring(network: Devnet, say: Say) -> list[Row]:
    """A steady load at one node for a minute; then all of it must become final."""
    count = ANCHORS_PER_S * ANCHORING_S
    crypto = Edwards25519()
    sessions = [_manifest(network, crypto) for _ in range(count)]
    accepted: list[str] = []
    late_s: list[float] = []
    lock = threading.Lock()
    workers = 4
    began = time.monotonic()

    def submit(first: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", network.nodes[0].ports["anchoring"], timeout=30)
        for number in range(first, count, workers):
            time.sleep(max(0.0, began + number / ANCHORS_PER_S - time.monotonic()))
            asked = time.monotonic()
            connection.request("POST", "/anchor-session", sessions[number][1])
            response = connection.getresponse()
            response.read()
            with lock:
                late_s.append(time.monotonic() - asked)
                if response.status == 202:
                    accepted.append(sessions[number][0])
        connection.close()

    say(f"anchoring: {ANCHORS_PER_S} a second for {ANCHORING_S} s")
    threads = [threading.Thread(target=submit, args=(first,)) for first in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = time.monotonic() - began
    say("anchoring: waiting until all are final")
    left, waited = set(accepted), time.monotonic()
    while left and time.monotonic() - waited < 6 * INTERVAL_MS / 1000:
        time.sleep(1)
        left = {session for session in left if not _is_final(network.nodes[1], session)}
    return _anchoring_rows(network, count, len(accepted) / took_s, len(accepted), late_s, len(left))


def _anchoring_rows(
    network: Devnet, count: int, rate: float, accepted: int, late_s: list[float], left: int
) -> list[Row]:
    late_s.sort()
    return [
        Row("anchoring", "accepted durably at one node: a second", rate, "at least 99", rate >= 99),
        Row("anchoring", "refused", float(count - accepted), "at most 0", accepted == count),
        Row("anchoring", "time to a durable answer, p99: ms", late_s[int(len(late_s) * 0.99)] * 1000, "", None),
        Row("anchoring", "not final within six intervals after the last", float(left), "at most 0", not left),
        Row("anchoring", "largest block: transactions", float(_largest(network.nodes[0])), "", None),
    ]


def _light(network: Devnet, say: Say) -> list[Row]:
    """One session every few seconds: from POST to the receipt of the final session."""
    crypto = Edwards25519()
    took_s: list[float] = []

    def one(number: int) -> None:
        time.sleep(number * LIGHT_PAUSE_S)
        session, body = _manifest(network, crypto)
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", network.nodes[0].ports["anchoring"], timeout=30)
        connection.request("POST", "/anchor-session", body)
        connection.getresponse().read()
        status = 0
        while status != 200 and time.monotonic() - began < 6 * INTERVAL_MS / 1000:
            time.sleep(0.1)
            connection.request("GET", f"/sessions/{session}/receipt")
            response = connection.getresponse()
            response.read()
            status = response.status
        connection.close()
        took_s.append(time.monotonic() - began)

    say(f"light: {LIGHT_SESSIONS} sessions, one every {LIGHT_PAUSE_S} s")
    threads = [threading.Thread(target=one, args=(number,)) for number in range(LIGHT_SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s.sort()
    interval_s = INTERVAL_MS / 1000
    median, last = took_s[len(took_s) // 2], took_s[int(len(took_s) * 0.99)]
    return [
        Row("light", "POST to final receipt, median: s", median, f"at most {interval_s + 1}", median <= interval_s + 1),
        Row("light", "POST to final receipt, p99: s", last, f"at most {2 * interval_s}", last <= 2 * interval_s),
    ]


def _pressure(network: Devnet, say: Say) -> list[Row]:
    return bench_pressure(network.nodes[0], _manifest(network, Edwards25519()), 6 * INTERVAL_MS / 1000, say)


def _manifest(network: Devnet, crypto: Edwards25519) -> tuple[str, bytes]:
    """A session's id and its signed manifest."""
    session = str(uuid.uuid4())
    fields = {
        "session": session,
        "started_ms": 1,
        "ended_ms": 2,
        "chunks": [{"index": 0, "size": 4096, "id": bytes(32).hex()}],
    }
    return session, sign_manifest(fields, OWNER, network.genesis.chain_id, crypto)


def _is_final(node: DevNode, session: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", node.ports["anchoring"], timeout=5)
    try:
        connection.request("GET", f"/sessions/{session}")
        return b'"final"' in connection.getresponse().read()
    finally:
        connection.close()


def _largest(node: DevNode) -> int:
    import msgspec  # noqa: PLC0415 - only here

    connection = http.client.HTTPConnection("127.0.0.1", node.ports["manager"], timeout=5)
    connection.request("GET", "/blocks?limit=100")
    page = msgspec.json.decode(connection.getresponse().read())
    connection.close()
    return max((block["transactions"] for block in page["blocks"]), default=0)


def _stop(network: Devnet) -> list[Row]:
    began = time.monotonic()
    statuses = set(network.stop().values())
    took_s = time.monotonic() - began
    return [
        Row("stop", "SIGTERM to exit of all: seconds", took_s, "at most 8", took_s <= 8),
        Row("stop", "exit statuses other than 0", float(len(statuses - {0})), "at most 0", statuses == {0}),
    ]


def _resident_mib(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def _await_port(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()
            return
        except OSError:
            assert time.monotonic() < deadline, "the bare handler does not start"
            time.sleep(0.05)
