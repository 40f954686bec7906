"""Names of files: none leads out, hides, starts or names a device, and no two become one file."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid.client.errors import BundleError
from lucid.client.names import check_names, written_names


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "/etc/x", "../x", "a/../b", "a//b", "a/", "./a", "x\0", "a/b\0", "d/" * 40 + "x", "x" * 2_000],
)
def test_what_no_file_can_be_called_is_refused(name: str) -> None:
    with pytest.raises(BundleError, match="impossible name"):
        check_names([name])


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("talk.txt", "talk.txt"),
        ("Ä 1 (2).mp4", "Ä 1 (2).mp4"),
        ("folder/talk.txt", "folder/talk.txt"),
        (".bash_login", "%2Ebash_login"),
        (".config/autostart/x.desktop", "%2Econfig/autostart/x.desktop"),
        ("a/.ssh/authorized_keys", "a/%2Essh/authorized_keys"),
        ("-rf", "%2Drf"),
        ("~", "%7E"),
        ("\x1b]0;x\x07.txt", "%1B]0;x%07.txt".replace(";", ";")),
        ("a\nlucid: all is well", "a%0Alucid%3A all is well"),
        ("\u202etxt.exe", "%E2%80%AEtxt.exe"),
        ("a\\..\\b", "a%5C..%5Cb"),
        ("CON", "%43ON"),
        ("con.txt", "%63on.txt"),
        ("aux .txt", "%61ux .txt"),
        ("LPT1", "%4CPT1"),
        ("lpt", "lpt"),
        ("console", "console"),
        ("C:", "C%3A"),
        ("x.", "x%2E"),
        ("x ", "x%20"),
        ("\ud800", "%ED%A0%80"),
    ],
)
def test_what_a_system_would_act_on_is_written_with_percent_signs(name: str, written: str) -> None:
    check_names([name])
    assert written_names([name]) == [written]


def test_hidden_names_can_be_kept() -> None:
    assert written_names([".git/config", "\x1b.x"], hidden=True) == [".git/config", "%1B.x"]


@pytest.mark.parametrize(
    "names",
    [("a", "A"), ("\u00e9", "e\u0301"), (".a", "%2Ea"), ("a", "a/b"), ("A/b", "a"), ("x" * 250 + "\n\n",)],
)
def test_what_a_file_system_could_not_hold_together_is_refused(names: tuple[str, ...]) -> None:
    check_names(names)
    with pytest.raises(BundleError):
        written_names(names)


def test_no_name_stands_twice() -> None:
    with pytest.raises(BundleError):
        check_names(["a", "a"])


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=5))
def test_whatever_is_written_stays_inside_and_shows(names: list[str]) -> None:
    try:
        check_names(names)
        written = written_names(names)
    except BundleError:
        return
    for name in written:
        assert name.isprintable() and not PurePosixPath(name).is_absolute()
        for part in name.split("/"):
            assert part not in ("", ".", "..") and not part.startswith((".", "-", "~"))
        assert not PureWindowsPath(name).drive and "\\" not in name
    assert len({name.casefold() for name in written}) == len(names)
