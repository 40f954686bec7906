"""What Compose lays over an image when it starts it."""

from __future__ import annotations

from pathlib import Path

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.launch import Launch, Mount, MountKind
from smoke.static.model.mounts import launched
from smoke.static.model.stage import Stage
from smoke.tree import Tree
from tests.smoke.cases import write_files
from tests.smoke.static.model.staged import stage


def over(folder: Path, *mounts: Mount, **fields: str) -> Stage:
    """A stage with a file below /srv, and what a service mounts over it."""
    tree = Tree(write_files(folder, {"src/a.py": "", "src/deep/b.py": "", "one.conf": ""}))
    made = stage()
    made.files.add("/srv/app/old.py", PathEntry("file", "old.py", line=2))
    return launched(made, Launch("app", "compose.yaml", 1, mounts=mounts, **fields), tree)  # type: ignore[arg-type]


def test_a_directory_of_the_tree_hides_what_was_built(tmp_path: Path) -> None:
    files = over(tmp_path, Mount(MountKind.TREE, "/srv/app", "src")).files
    assert files.find("/srv/app/old.py") is None and not files.doubt("/srv/app/old.py")
    found = files.find("/srv/app/deep/b.py")
    assert found is not None and found.source == "src/deep/b.py" and found.user is None


def test_a_volume_begins_with_what_the_image_has(tmp_path: Path) -> None:
    files = over(tmp_path, Mount(MountKind.VOLUME, "/srv/app")).files
    assert files.find("/srv/app/old.py") is not None


def test_a_file_system_in_memory_is_empty_and_the_machines_own_unknown(tmp_path: Path) -> None:
    empty = over(tmp_path, Mount(MountKind.EMPTY, "/srv/app")).files
    assert empty.find("/srv/app") is not None and empty.find("/srv/app/old.py") is None
    assert not empty.doubt("/srv/app/x")
    unknown = over(tmp_path / "b", Mount(MountKind.UNKNOWN, "/srv/app")).files
    assert unknown.doubt("/srv/app/old.py").cause is DoubtCause.MOUNT


def test_deeper_mounts_lie_over_those_above(tmp_path: Path) -> None:
    deep, flat = Mount(MountKind.TREE, "/srv/app/x.conf", "one.conf"), Mount(MountKind.TREE, "/srv/app", "src")
    for mounts in ((deep, flat), (flat, deep)):
        files = over(tmp_path / str(mounts[0] is deep), *mounts).files
        assert files.find("/srv/app/x.conf") is not None and files.find("/srv/app/a.py") is not None


def test_user_directory_and_path_are_the_services(tmp_path: Path) -> None:
    made = over(tmp_path, user="1000", workdir="/x")
    assert (made.user, made.workdir) == ("1000", "/x")
    assert over(tmp_path / "b", user="$WHO").user != "$WHO", "what the machine gives is not known"


def test_the_image_itself_stays_as_it_was(tmp_path: Path) -> None:
    made = stage()
    made.files.add("/srv/app/old.py", PathEntry("file", line=2))
    launched(made, Launch("a", "f", 1, mounts=(Mount(MountKind.EMPTY, "/srv/app"),)), Tree(tmp_path))
    assert made.files.find("/srv/app/old.py") is not None
