"""Classes that are left abstract by bases of other modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import critical, judge_files

BASE = "from abc import ABC, abstractmethod\nclass Store(ABC):\n    @abstractmethod\n    def put(self): ...\n"
MAIN = "import time\nfrom store.memory import Memory\nstore = Memory()\nwhile True:\n    time.sleep(1)\n"
TREE = {
    "Dockerfile": 'FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nCMD ["python", "main.py"]\n',
    "store/__init__.py": "",
    "store/base.py": BASE,
    "main.py": MAIN,
}


@pytest.mark.parametrize(
    "taken", ["from store.base import Store\n", "from .base import Store\n", "from . import base\n"]
)
def test_a_base_is_found_however_it_is_imported(tmp_path: Path, taken: str) -> None:
    base = "base.Store" if "import base" in taken else "Store"
    files = {**TREE, "store/memory.py": f"{taken}class Memory({base}):\n    pass\n"}
    messages = [each.message for each in critical(judge_files(tmp_path, files))]
    assert any("Memory is abstract and cannot be made: it lacks put" in each for each in messages)


@pytest.mark.parametrize(
    "memory",
    [
        "from .base import Store\nclass Memory(Store):\n    def put(self): ...\n",
        "from .base import Store\nclass Memory(Store):\n    put = None\n",
        "from .base import Store\nclass Memory(Store): ...\nMemory.__abstractmethods__ = frozenset()\n",
        "from .base import Store\ndef done(cls): return cls\n@done\nclass Memory(Store): ...\n",
        "class Memory: ...\n",
    ],
)
def test_what_may_be_made_is_no_fault(tmp_path: Path, memory: str) -> None:
    assert not critical(judge_files(tmp_path, {**TREE, "store/memory.py": memory}))
