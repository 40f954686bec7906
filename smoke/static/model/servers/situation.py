"""What a server finds as it starts: variables, files, accounts; and what it says where something is lacking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct


class Situation(Struct, frozen=True):
    """What a server finds: its environment, and files by their path in the image."""

    environment: Mapping[str, str]
    read: Callable[[str], str | None]
    """A file's text; none when it is not there or not of the tree."""
    exists: Callable[[str], bool | None]
    """Whether a file is there; none when that cannot be told."""
    asked: Callable[[str], str] = lambda name: ""
    """How a distribution is asked for, as a requirement; empty when it is not, or not by name."""
    spoken: tuple[str, ...] = ()
    """Words of the exec form, in which no shell has filled anything."""
    lacks_user: Callable[[str], bool] = lambda name: False
    """Whether there surely is no user of a name."""
    lacks_group: Callable[[str], bool] = lambda name: False
    is_root: bool = False
    """Whether it is surely started as root."""


def no_account(server: str, user: str | None, group: str | None, situation: Situation) -> str:
    """What a server says of the user and group that it is to become, where there is no such."""
    if user and situation.lacks_user(user):
        return f"{server} is to run as the user {user}, whom the image does not have"
    if group and situation.lacks_group(group):
        return f"{server} is to run as the group {group}, which the image does not have"
    return ""


def missing_file(server: str, files: Iterable[str | None], situation: Situation) -> str:
    """What a server says of a file that it reads as it starts and that is not there; what is elsewhere on the
    machine may be mounted."""
    for file in files:
        if file and "$" not in file and not file.startswith("/") and situation.exists(file) is False:
            return f"{server} is to read {file}, which is not in the image"
    return ""
