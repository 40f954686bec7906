"""A release on a host: four image ids, `compose.yaml` and `.env`, kept as one record and brought back only together.

Records are folders beside Compose's files, each made under another name and then renamed:

- `before/`: what ran when an upgrade or a rollback began. While it is there, that is not finished.
- `previous/`: the release before the one that runs, in the hands of `lucid deploy rollback`.

The ids stand in the record; tags keep the engine from throwing the images away. Every script can be run again after it
was cut short anywhere.
"""

from __future__ import annotations

import io
import shlex
import tarfile
from collections.abc import Mapping

from lucid.api.services import SERVICES
from lucid.deploy.host import DeployError, Host

IMAGES = {each.key: each.image for each in SERVICES.values()}
LATEST, BEFORE, PREVIOUS = "latest-arm64", "before-arm64", "previous-arm64"
BEFORE_FOLDER, PREVIOUS_FOLDER = "before", "previous"
UPGRADE, ROLLBACK = "upgrade", "rollback"
PROJECT = "lucid"
LABELS = (
    f"--filter label=com.docker.compose.project={PROJECT} --filter label=com.docker.compose.oneoff=False"
    " --filter label=com.docker.compose.service"
)


class NoRelease(DeployError):
    """There is no such release to go back to."""


def current() -> list[str]:
    """The names under which the Compose file finds the four images."""
    return [f"{name}:{LATEST}" for name in IMAGES.values()]


def _names(tag: str) -> str:
    return " ".join(f"{name}:{tag}" for name in IMAGES.values())


_STALE = """\
stale() { docker image inspect --format '{{.Id}}' "$@" >>stale 2>/dev/null || true; }"""
"""Notes ids that are about to lose a tag, for `_PRUNE`."""

_PRUNE = """\
if test -f stale; then
  sort -u stale | while read -r id; do
    tags=$(docker image inspect --format '{{range .RepoTags}}{{.}} {{end}}' "$id" 2>/dev/null) || continue
    test -n "$tags" || docker rmi "$id" >/dev/null 2>&1 || true
  done
  rm -f stale
fi"""
"""Only images that this product's names left: the host may keep others."""

_RECORD = f"""\
{_STALE}
stale {_names(LATEST)}
if ! test -d before; then
  rm -rf before.new
  mkdir before.new
  for file in compose.yaml .env; do test ! -f "$file" || cp -p "$file" before.new/; done
  : >before.new/found
  while read -r service name; do
    test -f compose.yaml || continue
    container=$(docker ps -aq {LABELS}="$service" | head -n 1)
    id=
    test -z "$container" || id=$(docker inspect --format '{{{{.Image}}}}' "$container")
    docker image inspect "${{id:-none}}" >/dev/null 2>&1 ||
      id=$(docker image inspect --format '{{{{.Id}}}}' "$name:{LATEST}" 2>/dev/null) || continue
    docker tag "$id" "$name:{BEFORE}"
    echo "$name $id" >>before.new/found
  done <<END
{chr(10).join(f"{service} {name}" for service, name in IMAGES.items())}
END
  test "$(wc -l <before.new/found)" -ne {len(IMAGES)} || mv before.new/found before.new/images
  mv before.new before
fi"""

_ACCEPT = f"""\
{_STALE}
if test -f before/images; then
  same=yes
  while read -r name id; do
    test "$(docker image inspect --format '{{{{.Id}}}}' "$name:{LATEST}")" = "$id" || same=no
  done <before/images
  for file in compose.yaml .env; do test "$(cat "$file")" = "$(cat "before/$file")" || same=no; done
  if test $same = no; then
    stale {_names(PREVIOUS)}
    while read -r name id; do docker tag "$id" "$name:{PREVIOUS}"; done <before/images
    rm -rf previous.old
    test ! -d previous || mv previous previous.old
    mv before previous
  fi
fi"""

_FORGET = f"""\
rm -rf before before.new previous.old new
docker rmi {_names(BEFORE)} >/dev/null 2>&1 || true
{_PRUNE}"""


def _script(folder: str, *parts: str) -> str:
    return "\n".join(("set -eu", f"cd {shlex.quote(folder)}", *parts))


def record_command(folder: str, why: str) -> str:
    """Record what runs, before anything is changed. What an unfinished change recorded stays as it is."""
    made = f"mkdir -p {shlex.quote(folder)}"
    return "\n".join(("set -eu", made, f"cd {shlex.quote(folder)}", _RECORD, f"echo {why} >before/why"))


def accept_command(folder: str) -> str:
    """The release that runs is good: what was recorded becomes the one before, unless it is the same."""
    return _script(folder, _ACCEPT, _FORGET)


def forget_command(folder: str) -> str:
    """What was recorded runs again: the record is done with, and so are the images that it replaced."""
    return _script(folder, _FORGET)


def bring_command(folder: str, record: str) -> str:
    """Bring a record's images and files into place; the record stays."""
    return _script(
        folder,
        _STALE,
        f"stale {_names(LATEST)}",
        f'while read -r name id; do docker tag "$id" "$name:{LATEST}"; done <{record}/images',
        f'for file in .env compose.yaml; do cp -p "{record}/$file" "$file.new" && mv "$file.new" "$file"; done',
    )


def write_command(folder: str) -> str:
    """Write both files from an archive on the input: whole or not at all, `.env` first, without which Compose fails."""
    return _script(
        folder,
        "umask 077",
        "rm -rf new && mkdir new && tar -x -o -f - -C new",
        "sync new/.env new/compose.yaml",
        "mv new/.env .env && mv new/compose.yaml compose.yaml && rmdir new",
    )


def packed(contents: Mapping[str, bytes]) -> bytes:
    """What `write_command` reads."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for name, data in contents.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o600
            tar.addfile(info, io.BytesIO(data))
    return written.getvalue()


def must_be_whole(host: Host, folder: str, record: str) -> None:
    """Raises `NoRelease` where a record is not there, or not all of it."""
    script = _script(
        folder,
        f"cd {record} && test -f images && test -f compose.yaml && test -f .env",
        'while read -r name id; do docker image inspect "$id" >/dev/null; done <images',
    )
    said = host.run(f"if ( {script}\n) >/dev/null 2>&1; then echo whole; fi")
    if said.strip() != "whole":
        what = "what ran before" if record == BEFORE_FOLDER else "no release before this one"
        raise NoRelease(f"{host.name}: {what} is {'not ' if record == BEFORE_FOLDER else ''}kept there")
