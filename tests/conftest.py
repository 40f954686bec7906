"""Settings of the whole test run: how Hypothesis looks for examples."""

from __future__ import annotations

import os

from hypothesis import settings

# A shared machine is slow now and then: that is not a failure. Under CI a commit always tries the same examples.
settings.register_profile("lucid", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("lucid")
