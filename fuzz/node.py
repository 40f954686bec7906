"""A node of four real services to attack, and the checks that it lives and keeps within its memory."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES, DevNode

MAX_RSS_MIB = 192
RSS_SLACK = 1.2
"""How much more than before an attack a service may hold a minute after it."""
SETTLE_S = 60.0
LET_GO_S = 15.0
OWN_CONNECTIONS = 8
"""Those of sibling services, and the one that asks."""


def _nothing(network: Devnet) -> None:
    """A node as it is made."""


@contextmanager
def attacked(settles: bool = False, prepare: Callable[[Devnet], None] = _nothing) -> Iterator[DevNode]:
    """A lone node; at the end every service must be the same process, healthy and within its memory.

    With `settles` its memory must be back within `RSS_SLACK` of what it was, which can take `SETTLE_S`. `prepare` may
    change the node's settings before it starts.
    """
    with TemporaryDirectory(prefix="lucid-fuzz-") as folder, ExitStack() as stack:
        made = Devnet(Path(folder), 1, 1_000)
        prepare(made)
        network = stack.enter_context(made)
        node = network.nodes[0]
        before = {service: rss_mib(node, service) for service in SERVICES}
        yield node
        for service in SERVICES:
            check(node, service)
            check_let_go(node, service)
        deadline = time.monotonic() + SETTLE_S
        while settles and (fat := _fatter(node, before)):
            assert time.monotonic() < deadline, f"memory in MiB, before and now: {fat}"
            time.sleep(1)


def check(node: DevNode, service: str) -> None:
    """One service runs, answers, has logged no failure of a connection, holds no more than it may."""
    status = node.processes[service].poll()
    assert status is None, f"the {service} ended with status {status}: {node.last_words(service)}"
    answer = httpx.get(f"{node.url(service)}/health", timeout=5.0, trust_env=False)
    assert answer.status_code in (200, 429, 503), f"the {service} answers {answer.status_code} {answer.text}"
    figures = httpx.get(f"{node.url(service)}/metrics", timeout=5.0, trust_env=False).text
    failed = re.search(r"^lucid_connections_failed (\S+)", figures, re.MULTILINE)
    assert failed is None or failed[1] == "0.0", f"connections that failed: {node.last_words(service)}"
    used = rss_mib(node, service)
    assert used <= MAX_RSS_MIB, f"the {service} holds {used} MiB"


def check_let_go(node: DevNode, service: str) -> None:
    """One service has let go of the connections whose clients have: what is left are those of the node's own."""
    deadline = time.monotonic() + LET_GO_S
    while (left := _connections(node, service)) > OWN_CONNECTIONS:
        assert time.monotonic() < deadline, f"the {service} still holds {left:.0f} connections"
        time.sleep(0.5)


def _connections(node: DevNode, service: str) -> float:
    figures = httpx.get(f"{node.url(service)}/metrics", timeout=5.0, trust_env=False).text
    found = re.search(r"^lucid_connections (\S+)$", figures, re.MULTILINE)
    assert found is not None, "there is no such figure"
    return float(found[1])


def rss_mib(node: DevNode, service: str) -> int:
    """How much memory a service's process holds."""
    return _memory_mib(node, service, "VmRSS")


def peak_mib(node: DevNode, service: str) -> int:
    """How much memory a service's process has held at most, since it began."""
    return _memory_mib(node, service, "VmHWM")


def _memory_mib(node: DevNode, service: str, what: str) -> int:
    status = Path(f"/proc/{node.processes[service].pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(what)).split()[1]) // 1024


def _fatter(node: DevNode, before: dict[str, int]) -> dict[str, tuple[int, int]]:
    now = {service: rss_mib(node, service) for service in SERVICES}
    return {
        service: (before[service], now[service]) for service in SERVICES if now[service] > before[service] * RSS_SLACK
    }
