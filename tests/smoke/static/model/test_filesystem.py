"""The predicted file system: links, what is added through them, and what stays in doubt."""

from __future__ import annotations

import pytest

from smoke.static.model import filesystem
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import FileSystem, PathEntry

FILE = PathEntry("file", "a.py", line=3)


def test_what_is_added_has_its_directories() -> None:
    files = FileSystem()
    files.add("/srv/app/../app/a.py", FILE)
    assert list(files.entries) == ["/srv/app", "/srv", "/srv/app/a.py"]
    assert files.entries["/srv"] == PathEntry("directory", line=3)
    assert files.names("/srv") == ["app"] and files.find("/") == PathEntry("directory")
    files.add("/srv/app", PathEntry("directory", line=9))
    assert files.entries["/srv/app"].line == 3, "a directory that is there stays as it is"


def test_files_are_put_where_a_link_leads_now() -> None:
    files = FileSystem()
    files.add("/one/x", FILE)
    files.add("/now/x", FILE)
    files.remove("/now")
    files.link("/now", "one")
    files.add("/now/y", FILE)
    assert files.find("/one/y") == FILE and "/now/y" not in files.entries
    files.remove("/now")
    files.add("/now/y", PathEntry("file", "b.py"))
    assert files.entries["/now/y"].source == "b.py" and files.entries["/one/y"] == FILE
    files.add("/two", PathEntry("link", target="/one"))
    files.add("/two/z", FILE)
    files.add("/two", PathEntry("file", "c.py"))
    files.add("/three", PathEntry("link", target="/now"))
    files.add("/three/z", FILE)
    assert files.find("/one/z") == files.find("/now/z") == FILE


def test_links_in_a_circle_are_in_doubt_and_found_nowhere() -> None:
    files = FileSystem()
    files.link("/a", "/b")
    files.link("/b", "/a")
    assert files.find("/a/x") is None and files.doubt("/a/x").cause is DoubtCause.LINKS


def test_the_first_reason_for_doubt_stays_unless_it_was_the_base() -> None:
    files = FileSystem()
    files.suspect("/usr", "a base", DoubtCause.BASE)
    files.suspect("/usr", "a command", DoubtCause.COMMAND)
    files.suspect("/usr", "a copy", DoubtCause.COPY)
    assert files.doubt("/usr/lib/x") == "a command" and not files.doubt("/srv/x")
    files.suspect("/", "everywhere", DoubtCause.UNKNOWN_BASE)
    assert [str(each) for each in files.every_doubt("/usr/lib")] == ["a command", "everywhere"]


def test_a_base_has_nothing_in_what_an_instruction_made() -> None:
    files = FileSystem()
    files.suspect("/", "a base", DoubtCause.BASE)
    files.add("/srv/app/a.py", FILE)
    assert not files.doubt("/srv/app/b.py") and files.doubt("/opt/b.py").cause is DoubtCause.BASE


def test_globs_cross_no_directory_and_leave_hidden_names() -> None:
    files = FileSystem()
    for path in ("/w/a.whl", "/w/b.whl", "/w/.c.whl", "/w/d/e.whl"):
        files.add(path, FILE)
    assert files.glob("/w/*.whl") == ["/w/a.whl", "/w/b.whl"]
    assert files.glob("/w/.*.whl") == ["/w/.c.whl"] and files.glob("/w/?/e.whl") == ["/w/d/e.whl"]
    assert files.glob("/w/a.whl") == ["/w/a.whl"] and files.glob("/w/none") == []


def test_changes_take_a_directory_or_all_below_it() -> None:
    files = FileSystem()
    files.add("/srv/a/b", FILE)
    files.change("/srv/a", recursive=False, user=7)
    assert (files.entries["/srv/a"].user, files.entries["/srv/a/b"].user) == (7, 0)
    files.change("/srv", recursive=True, mode=0o700)
    assert {entry.mode for _, entry in files.below("/srv")} == {0o700}
    other = files.copy()
    other.remove("/srv")
    assert not other.entries and len(files.entries) == 3


def test_too_many_entries_leave_everything_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystem, "MAX_ENTRIES", 2)
    files = FileSystem()
    files.add("/a/b", FILE)
    files.add("/a/c", FILE)
    assert "/a/c" not in files.entries and files.doubt("/a/c").cause is DoubtCause.COPY
