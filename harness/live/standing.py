"""A node that stands already, somewhere: it is used as a client uses it, never stopped, and left as it was found."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.live.command import lucid
from smoke.live.failure import LiveError
from smoke.live.node import Node
from smoke.live.product import Product

_KEPT = "a node that is in use is neither stopped nor killed"


class StandingNode(Node):
    """The node of a client's settings: the URLs of its four services, its genesis document and an API token."""

    kind = "services of a node that stands"
    standing = True

    def __init__(self, folder: Path, product: Product, settings: Path, emulated: bool = False) -> None:
        """Read the settings; what is made on the way goes to `folder`. Raises `LiveError`."""
        super().__init__(folder, product)
        self.emulated = emulated
        try:
            found = tomllib.loads(settings.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise LiveError(f"{settings}: {error}") from None
        needed = ["genesis", "api_tokens", *(f"{service}_url" for service in self.services)]
        if lacking := [key for key in needed if not found.get(key)]:
            raise LiveError(f"{settings}: {', '.join(lacking)} must be set to try a node")
        self.api_token = str(found["api_tokens"][0])
        self._urls = {service: str(found[f"{service}_url"]).rstrip("/") for service in self.services}
        self._settings, self._genesis = settings, Path(found["genesis"])

    def __enter__(self) -> Self:
        try:
            shutil.copyfile(self._genesis, self.folder / "genesis.toml")
            shutil.copyfile(self._settings, self.folder / "client.toml")
        except OSError as error:
            raise LiveError(str(error)) from None
        lucid("keys", "new", str(self.folder / "owner.key"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing was started."""

    def url(self, service: str) -> str:
        """See `Node`."""
        return self._urls[service]

    def start(self, service: str) -> None:
        """It runs already."""

    def stop(self, services: Sequence[str], within_s: float) -> dict[str, int]:
        """Never. Raises `LiveError`."""
        raise LiveError(_KEPT)

    def kill(self, service: str) -> None:
        """Never. Raises `LiveError`."""
        raise LiveError(_KEPT)

    def running(self, service: str) -> bool:
        """It is for others to end it."""
        return True

    def data(self, service: str) -> str:
        """It is not known. Raises `LiveError`."""
        raise LiveError("where a node that is in use keeps its data is not known")

    def log(self, service: str) -> str:
        """Logs stay where the node is."""
        return f"{self.url(service)} does not answer"
