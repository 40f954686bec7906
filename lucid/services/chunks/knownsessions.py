"""Whether anybody knows a session: the chain, or this node's session anchoring."""

from __future__ import annotations

import uuid

import msgspec

from lucid.chain.errors import Code
from lucid.chain.transactions import SESSION_ID_BYTES
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem


class Asked:
    """Whether the chain or this node's session anchoring knows a session."""

    def __init__(self, manager: Sibling, anchoring: Sibling) -> None:
        self._manager = manager
        self._anchoring = anchoring

    async def known(self, session: bytes) -> bool:
        """False only where both say that they do not, and the manager is level with the chain. Raises `Problem`."""
        name, owner = session[:SESSION_ID_BYTES], session[SESSION_ID_BYTES:].hex()
        status, _ = await self._manager.fetch("/health")
        if status != 200:
            raise Problem(Code.UNAVAILABLE, "the block manager is not healthy")
        query = f"?owner={owner}" if owner else ""
        if await self._manager.get(f"/node/sessions/{name.hex()}{query}") is not None:
            return True
        status, data = await self._anchoring.fetch(f"/sessions/{uuid.UUID(bytes=name)}{query}")
        return not (status == 404 and _code(data) == Code.SESSION_UNKNOWN.code)


def _code(data: bytes) -> str:
    try:
        return str(msgspec.json.decode(data)["error"]["code"])
    except (msgspec.MsgspecError, UnicodeDecodeError, LookupError, TypeError):
        return ""
