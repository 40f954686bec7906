"""conda's files, in the forms that projects have them."""

from __future__ import annotations

from smoke.static.python.conda import read_environment


def test_an_environment_file() -> None:
    text = (
        "name: web\nprefix: /opt/web\nchannels: [conda-forge]\ndependencies:\n  - python=3.11.4\n"
        "  - conda-forge::pytorch>=2\n  - numpy=1.26=py311h0\n  - pip\n  - pip:\n"
        "    - -r requirements.txt\n    - uvicorn[standard]==0.30\n"
    )
    found = read_environment("environment.yml", text)
    assert (found.name, found.prefix, found.python, found.has_python) == ("web", "/opt/web", "3.11", True)
    assert found.distributions == ["torch", "numpy", "uvicorn[standard]==0.30"]
    assert found.files == ["requirements.txt"]
    assert not found.whole and not found.doubt


def test_a_range_names_no_version() -> None:
    assert read_environment("e.yml", "dependencies:\n  - python>=3.10\n").python == ""


def test_an_explicit_list_is_all_there_is() -> None:
    text = "@EXPLICIT\nhttps://x/linux-64/python-3.12.1-hab_0.conda\nhttps://x/noarch/msgpack-python-1.0.8-py312_0.conda#f0\n"
    found = read_environment("linux-64.lock", text)
    assert found.whole and found.python == "3.12" and found.distributions == ["msgpack"]


def test_a_lock_file_counts_for_linux() -> None:
    text = (
        "version: 1\npackage:\n- {name: flask, version: 3.0.0, manager: conda, platform: linux-64}\n"
        "- {name: pywin32, version: '306', manager: conda, platform: win-64}\n"
    )
    found = read_environment("conda-lock.yml", text)
    assert found.whole and found.distributions == ["flask"]


def test_what_can_not_be_read_is_in_doubt() -> None:
    assert read_environment("e.yml", "dependencies: [\n").doubt
    assert read_environment("e.yml", "name: web\n").doubt
