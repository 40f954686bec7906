"""The Python client: anchors recordings, fetches and opens them again, over any node's services, trusting none.

`Client` is for threads, `AsyncClient` for trio; both send the calls of `lucid.client.calls`.
"""

from lucid.api.answers import Anchored, SessionState
from lucid.chain.codec import prepare
from lucid.client.calls import ClientError
from lucid.client.http import Client
from lucid.client.triohttp import AsyncClient

__all__ = ["Anchored", "AsyncClient", "Client", "ClientError", "SessionState"]

prepare()  # who uses `Client` does it in threads of their own
