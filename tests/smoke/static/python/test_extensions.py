"""What extension modules of a wheel need: of those alone that are loaded with what is at its top."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from smoke.static.python.extensions import Wheel, read_wheel
from tests.smoke.static.wheelhouse import extension, wheel

pytest.importorskip("elftools")


def read(folder: Path, files: dict[str, bytes]) -> Wheel | None:
    path = folder / "a.whl"
    path.write_bytes(wheel(files))
    return read_wheel(path)


def test_a_module_at_the_top_needs_what_it_is_linked_with(tmp_path: Path) -> None:
    made = extension(tmp_path / "c", "libpq.so.5")
    found = read(tmp_path, {"_pq.cpython-312-x86_64-linux-gnu.so": made, "_pq-1.dist-info/METADATA": b""})
    assert found is not None and "libpq.so.5" in found.needs["_pq"]


@pytest.mark.parametrize(
    ("init", "needs"),
    [
        (b"from . import _c\n", True),
        (b"from ._c import x\n", True),
        (b"import pkg._c\n", True),
        (b"from pkg._c import x\n", True),
        (b"try:\n    from . import _c\nexcept ImportError:\n    _c = None\n", False),
        (b"def f():\n    from . import _c\n", False),
        (b"", False),
    ],
)
def test_a_module_of_a_package_counts_where_the_package_loads_it(tmp_path: Path, init: bytes, needs: bool) -> None:
    found = read(tmp_path, {"pkg/__init__.py": init, "pkg/_c.abi3.so": extension(tmp_path / "c", "libGL.so.1")})
    assert found is not None and ("libGL.so.1" in found.needs.get("pkg", ())) is needs


def test_what_the_wheel_brings_itself_is_not_needed_of_the_system(tmp_path: Path) -> None:
    made = extension(tmp_path / "c", "libGL.so.1", "libpq.so.5")
    found = read(tmp_path, {"_c.so": made, "c.libs/libpq.so.5": b""})
    assert found is not None and "libGL.so.1" in found.needs["_c"] and "libpq.so.5" not in found.needs["_c"]


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\x7fELF" + b"\xff" * 200, b"MZ"])
def test_what_cannot_be_read_is_unknown(tmp_path: Path, data: bytes) -> None:
    assert read(tmp_path, {"_c.so": data}) is None
    (tmp_path / "b.whl").write_bytes(data)
    assert read_wheel(tmp_path / "b.whl") is None and read_wheel(tmp_path / "absent.whl") is None


def test_without_pyelftools_all_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "elftools.elf.elffile", None)
    assert read(tmp_path, {"_c.so": extension(tmp_path / "c", "libpq.so.5")}) is None
