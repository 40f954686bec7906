"""Settings of the whole test run: how Hypothesis looks for examples."""

from __future__ import annotations

import os

from hypothesis import settings

# A shared machine is slow now and then: that is not a failure. Under CI a commit always tries the same examples.
settings.register_profile("lucid", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("lucid")
# `nox -s fast`: a fifth of the examples; each run tries others.
settings.register_profile("fast", deadline=None, max_examples=20, derandomize=False)
