"""Distributions that a version of Python can no longer load."""

from __future__ import annotations

from smoke.static.python.conditions import Version as PythonVersion

LOADABLE: dict[str, tuple[str, str, PythonVersion]] = {
    "kafka": ("kafka-python", "2.0.3", (3, 12)),
}
"""Modules, with their distribution, its first release that can be loaded in a version of Python and later ones."""
UNLOADABLE: dict[str, tuple[PythonVersion, str]] = {
    "aioredis": ((3, 11), "redis.asyncio does what it did"),
    "asynctest": ((3, 11), "unittest.IsolatedAsyncioTestCase does what it did"),
    "nose": ((3, 10), "pytest does what it did"),
}
"""Distributions, named as their modules, of which no release can be loaded since a version of Python."""
