"""Settings of the whole test run: how Hypothesis looks for examples, and the browser that pages are shown in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from images.laboratory.packages import PackageError
from tests.browser import Browser, find_browser

# A shared machine is slow now and then: that is not a failure. Under CI a commit always tries the same examples.
settings.register_profile("lucid", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("lucid")
# `nox -s fast`: a fifth of the examples; each run tries others.
settings.register_profile("fast", deadline=None, max_examples=20, derandomize=False)

UNMEASURED = ("docs", "golden", "harness", "images", "sim")
"""Folders whose tests count for no coverage: what they run at length is the machines, whose own tests are to reach
every line, and to be traced makes it take twice as long."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).parts[0] in UNMEASURED:
            item.add_marker("no_cover")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """One for all tests of a run, whichever process they run in."""
    folder = tmp_path_factory.getbasetemp()
    try:
        return find_browser((folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "browser")
    except PackageError as error:
        pytest.skip(f"no browser can be had here: {error}")
