"""Which version of the HTTP API this release speaks."""

from __future__ import annotations

API_HEADER, API_VERSION = "Lucid-API-Version", "1"
"""Says in a request which version of the API its sender speaks, and in each answer which one it is of."""
