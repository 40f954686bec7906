"""Runs a service as a release would whose newest rules are RULES: `old_release.py RULES SERVICE [OPTION ...]`.

What the product knows is one constant, which every other part reads when it is imported; there is no setting for it,
and this program, which changes it first, is no part of the product.
"""

from __future__ import annotations

import runpy
import sys

from lucid.chain import versions

if __name__ == "__main__":
    versions.RULES_KNOWN = int(sys.argv[1])
    service = sys.argv[2]
    sys.argv[1:] = sys.argv[3:]
    runpy.run_module(f"lucid.services.{service}", run_name="__main__", alter_sys=True)
