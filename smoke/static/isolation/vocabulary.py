"""The words and hosts of the TRON network."""

from __future__ import annotations

from smoke.static.regex import regex

WORDS = frozenset(
    [
        "tron",
        "trx",
        "usdt",
        "trc10",
        "trc20",
        "trc721",
        "tronweb",
        "tronlink",
        "tronscan",
        "trongrid",
        "tronpy",
        "tronapi",
        "tronbox",
        "tronstack",
        "tronprotocol",
        "trondao",
        "trongateway",
        "tronex",
        "tronide",
        "tronstation",
        "tronnile",
        "tronbank",
        "tronz",
        "usdd",
        "gotron",
        "tronix",
        "iweb3",
        "sunio",
        "sunswap",
        "justlend",
        "justswap",
        "usdtrc20",
    ]
)
"""Words that are a trace wherever a word stands alone or is a part of an identifier."""

_PREFIXES = ("tronweb", "trongrid", "tronscan", "tronlink", "tron", "usdt", "trx", "trc20", "trc10")
_SUFFIXES = ("usdt", "trx", "trc20", "tron")
_COMPANIONS = [
    "account",
    "address",
    "addr",
    "amount",
    "api",
    "balance",
    "block",
    "bridge",
    "chain",
    "client",
    "config",
    "contract",
    "deposit",
    "fee",
    "gateway",
    "grid",
    "handler",
    "hash",
    "host",
    "http",
    "key",
    "link",
    "manager",
    "mainnet",
    "monitor",
    "net",
    "network",
    "node",
    "pay",
    "payment",
    "payments",
    "payout",
    "private",
    "provider",
    "proxy",
    "py",
    "receiver",
    "rpc",
    "scan",
    "sdk",
    "send",
    "sender",
    "service",
    "shasta",
    "testnet",
    "token",
    "tokens",
    "transaction",
    "transactions",
    "transfer",
    "transfers",
    "tx",
    "url",
    "util",
    "utils",
    "wallet",
    "wallets",
    "watcher",
    "web",
    "withdraw",
    "withdrawal",
    "worker",
]
_LEADERS = ["to", "from", "get", "my", "the", "is", "has", "use"]
_AFTER = "|".join(_COMPANIONS)
_BEFORE = "|".join([*_COMPANIONS, *_LEADERS])
JOINED = regex(
    rf"(?:{_BEFORE})?(?:{'|'.join(_PREFIXES)})(?:{_AFTER})(?:s|{_AFTER})?|(?:{_BEFORE})(?:{'|'.join(_SUFFIXES)})"
)
"""Words run together, as in `tronwallet` and `sendtrx`: only with companions that are words, so *neutron* is none."""

OTHER_WORDS = frozenset(["scantron", "apitron"])
"""Words that only look as if they were joined."""

CANDIDATE = r"tron|iweb3|trx|usdt|usdd|trc|sun(?:io|swap)|just(?:lend|swap)"
"""What each of the words (in any case) has in it."""

HOSTS = (
    "trongrid.io",
    "tronscan.org",
    "tronscan.io",
    "tronscanapi.com",
    "tronstack.io",
    "tron.network",
    "tronweb.network",
    "tronlink.org",
    "nileex.io",
    "tronex.io",
    "trondao.org",
    "sunswap.com",
    "sun.io",
    "justlend.org",
    "tronprotocol.org",
)
"""Domains of the network's nodes and explorers."""

_ANYTHING = (
    *(b"tron", b"trx", b"usdt", b"usdd", b"trc", b"sunio", b"sun.io", b"sunswap", b"justlend", b"justswap", b"nileex"),
    *(b"iweb3", b"a614f803", b"3487b63d", b"891cdb91"),
)
_ADDRESS = regex(rb"T[1-9A-HJ-NP-Za-km-z]{33}")


def worth_reading(data: bytes, more: tuple[str, ...] = ()) -> bool:
    """Whether bytes (ASCII or UTF-8) can hold a trace at all: quick, so that most files of a tree cost nothing else."""
    lower = data.lower()
    if any(word in lower for word in _ANYTHING) or _ADDRESS.search(data):
        return True
    return any(word.lower().encode() in lower for word in more)
