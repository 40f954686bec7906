"""The words, hosts and packages of the TRON network."""

from __future__ import annotations

import re

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
        "sunio",
        "sunswap",
        "justlend",
        "justswap",
        "jttx",
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
    "to",
    "from",
    "get",
    "my",
    "the",
    "is",
    "has",
    "use",
]
_BEFORE = "|".join(_COMPANIONS)
JOINED = re.compile(
    rf"(?:{_BEFORE})?(?:{'|'.join(_PREFIXES)})(?:{_BEFORE})(?:s|{_BEFORE})?|(?:{_BEFORE})(?:{'|'.join(_SUFFIXES)})"
)
"""Words run together, as in `tronwallet` and `sendtrx`: only with companions that are words, so *neutron* is none."""

HOSTS = re.compile(
    r"""(?ix) (?<![a-z0-9-]) (?: [a-z0-9-]+ \. ){0,6} (?:
        trongrid\.io | tronscan\.(?:org|io) | tronscanapi\.com | tronstack\.io | tron\.network
        | tronweb\.network | tronlink\.org
        | nileex\.io | tronex\.io | tron\.(?:dev|software) | trondao\.org | sunswap\.com | sun\.io
        | justlend\.org | tronprotocol\.org
        | (?:tron|trx)[a-z0-9]* \. (?: [a-z0-9-]+ \. ){0,4} (?:com|io|org|net|network|dev|app|xyz|finance|cc|me)
    ) (?![a-z0-9-]|\.[a-z0-9])"""
)
"""Hosts of the network's nodes and explorers, and names of hosts that begin with its name."""

PACKAGES = frozenset(
    [
        "tronpy",
        "tronapi",
        "tronweb",
        "tron-api",
        "tron-python",
        "trontxsize",
        "trongrid-api",
        "py-tron",
        "tron-hdwallet",
        "tronprotocol",
        "tronbox",
        "tronwrap",
        "tronix",
        "trx-utils",
        "trx-wallet",
        "@tronweb3",
        "@tronscan",
        "@tronprotocol",
        "tron-format-address",
        "tronlink",
        "trongrid",
        "tron-sdk",
        "tron-utils",
        "tronjs",
        "gotron-sdk",
        "gotron",
        "iweb3",
        "node-tron",
    ]
)
"""Distributions, packages and scopes of package registries that talk to the network."""

_ANYTHING = re.compile(
    rb"(?i)tron|trx|usdt|usdd|trc|sun\.?(?:io|swap)|just(?:lend|swap)|jttx|nileex|iweb3|tnr7|a614f803|3487b63d|891cdb91"
)
_ADDRESS = re.compile(rb"T[1-9A-HJ-NP-Za-km-z]{33}")


def worth_reading(data: bytes, more: tuple[str, ...] = ()) -> bool:
    """Whether bytes (ASCII or UTF-8) can hold a trace at all: quick, so that most files of a tree cost nothing else."""
    if _ANYTHING.search(data) or _ADDRESS.search(data):
        return True
    lower = data.lower() if more else b""
    return any(word.lower().encode() in lower for word in more)
