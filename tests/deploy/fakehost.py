"""A host for tests of `lucid deploy`: an `ssh` that runs commands here, and a `docker` that keeps its state in files.

What Docker would do, the fake does as far as a release goes: tags, images, containers that have one, volumes.
`break_at` ends a command's whole process group at the Nth call of docker, and the line is dead from then on, as when
the power goes.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import tarfile
from pathlib import Path

from lucid.chain.ed25519 import ed25519_public_key
from lucid.cli.main import main
from lucid.deploy.release import IMAGES, LATEST
from lucid.services.process.keyfile import write_key

ROOT = Path(__file__).resolve().parents[2]
THERE = ("home", "tags", "images", "containers", "volumes", "owners")
"""What is on a host, each in a folder."""

SSH = r"""#!/bin/sh
for command; do :; done
case " $* " in *" -O exit "*) exit 0;; esac
S=@STATE@
test ! -f $S/down || { echo 'Connection refused' >&2; exit 255; }
echo "$command" >>$S/commands
export HOME=$S/home PATH="$S/bin:$PATH"
cd $HOME
setsid -w sh -c "$command"
status=$?
test ! -f $S/down || { echo 'Connection reset' >&2; exit 255; }
exit $status
"""

DOCKER = r"""#!/bin/sh
S=@STATE@
echo "$*" >>$S/calls
if test -f $S/break; then
  read -r left <$S/break
  left=$((left - 1))
  echo $left >$S/break
  if test $left -le 0; then rm $S/break; : >$S/down; kill -9 0; fi
fi
id_of() {
  case $1 in sha256:*) id=$1;; *) id=; test ! -f "$S/tags/$1" || read -r id <"$S/tags/$1";; esac
  test -n "$id" && test -f "$S/images/$id"
}
tags_of() { grep -lx "$1" -r $S/tags 2>/dev/null | sed "s#$S/tags/##"; }
unused() { test -z "$(tags_of "$1")" && ! grep -qrx "$1" $S/containers/*/image 2>/dev/null; }
python() {
  volume=$1; shift
  for word; do
    set -- "$@" "$(printf %s "$word" | sed "s#/config#$S/volumes/lucid_config#g; s#/stores/#$S/volumes/lucid_#g
      s#/data\\([/\"]\\)#$S/volumes/$volume\\1#g
      s#/key\\([/\"]\\)#$S/volumes/lucid_key\\1#g")"
    shift
  done
  cd @ROOT@ && exec env PYTHONPATH=@ROOT@ @PYTHON@ "$@"
}
compose() {
  case $1 in
  version) echo 2.30.0;;
  logs) echo "it said something";;
  stop) : >$S/stopped;;
  up)
    . ./.env
    : "${LUCID_TOKEN:?}" "${LUCID_API_TOKENS:?}"
    grep -q '^services:' compose.yaml || exit 1
    mkdir -p $S/volumes/lucid_mongodb
    rm -f $S/stopped
    while read -r service name; do
      id_of "$name" || { echo "no image $name" >&2; exit 1; }
      mkdir -p $S/containers/$service $S/volumes/lucid_$service
      echo "$id" >$S/containers/$service/image
      pwd -P >$S/containers/$service/folder
      case " $* " in
      *" --no-start "*) echo Created;;
      *) if grep -q '^bad' "$S/images/$id"; then echo 'Restarting (3)'; else echo 'Up 5 seconds (healthy)'; fi;;
      esac >$S/containers/$service/state
    done <$S/services;;
  run)
    shift
    while :; do case $1 in -*) shift;; *) break;; esac; done
    service=$1; shift
    case $service in replica-set) exit 0;; esac
    python lucid_$service "$@";;
  esac
}
case "$1 $2" in
"compose "*) shift; compose "$@";;
"version "*) echo 28.2.2;;
"info "*) case $* in *Root*) echo /;; *) echo true;; esac;;
"image inspect")
  shift 2; form=
  test "$1" != --format || { form=$2; shift 2; }
  status=0
  for name; do
    id_of "$name" || { echo "No such image: $name" >&2; status=1; continue; }
    case $form in *RepoTags*) tags_of "$id" | tr '\n' ' '; echo;; *) echo "$id";; esac
  done
  exit $status;;
"tag "*)
  id_of "$2" || exit 1
  mkdir -p "$S/tags/${3%/*}"
  echo "$id" >"$S/tags/$3.new"
  mv "$S/tags/$3.new" "$S/tags/$3";;
"rmi "*)
  shift; status=0
  for name; do
    id_of "$name" || { status=1; continue; }
    case $name in sha256:*) ;; *) rm "$S/tags/$name";; esac
    if unused "$id"; then rm "$S/images/$id"; fi
  done
  exit $status;;
"ps "*)
  for service in $(ls $S/containers); do
    case "$*" in *service=*) case " $* " in *"service=$service "*) ;; *) continue;; esac;; esac
    case "$*" in *--format*) echo "$service $(cat $S/containers/$service/state)";; *) echo "c-$service";; esac
  done;;
"inspect "*)
  service=${4#c-}
  test -n "$service" || exit 1
  case $3 in
  *working_dir*) cat $S/containers/$service/folder;;
  *Image*) cat $S/containers/$service/image;;
  *Env*) echo "LUCID_STORE=sqlite:/data/$service.sqlite";;
  esac;;
"volume inspect")
  for name; do :; done
  test -d "$S/volumes/$name" || exit 1
  test ! -f "$S/owners/$name" || cat "$S/owners/$name";;
"volume create")
  for name; do :; done
  mkdir -p "$S/volumes/$name"
  for word; do case $word in lucid.folder=*) echo "${word#lucid.folder=}" >"$S/owners/$name";; esac; done;;
"volume rm") shift 3; for name; do rm -rf "$S/volumes/$name" "$S/owners/$name"; done;;
"network ls") ;;
"create "*) ;;
"rm "*) for name; do case $name in c-*) rm -rf "$S/containers/${name#c-}";; esac; done;;
"cp -")
  case $3 in
  lucid-config:*) tar -x -f - -C $S/volumes/lucid_config;;
  lucid-key:*) tar -x -f - -C $S/volumes/lucid_key;;
  c-*) service=${3#c-}; tar -x -o -f - -C $S/volumes/lucid_${service%%:*};;
  esac;;
"cp c-"*) service=${2#c-}; service=${service%%:*}; tar -c -f - -C $S/volumes/lucid_$service "${2##*/data/}";;
"run "*)
  shift
  while :; do case $1 in pickme/*) break;; *) shift;; esac; done
  shift
  python lucid_data "$@";;
"load "*) exec @PYTHON@ -I -S @STATE@/load.py;;
*) echo "docker: not known here: $*" >&2; exit 1;;
esac
"""

LOAD = r"""
import io, json, sys, tarfile
from pathlib import Path
state = Path("@STATE@")
with tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read())) as tar:
    for entry in json.loads(tar.extractfile("manifest.json").read()):
        content = tar.extractfile(entry["Layers"][0]).read()
        identity = "sha256:" + entry["Config"].rpartition("/")[2].removesuffix(".json")
        (state / "images" / identity).write_bytes(content)
        for tag in entry["RepoTags"]:
            (state / "tags" / tag).parent.mkdir(parents=True, exist_ok=True)
            (state / "tags" / tag).write_text(identity + "\n")
"""

FIXED = {
    "uname": "echo aarch64",
    "timedatectl": "echo yes",
    "df": "echo; echo a b c @DISK@ e",
    "sync": "",
}


class FakeHost:
    """One host, as files in a folder."""

    def __init__(self, folder: Path, disk_kb: int = 20_000_000) -> None:
        self.state = folder / "host"
        self.home = self.state / "home"
        for name in (*THERE, "bin"):
            (self.state / name).mkdir(parents=True)
        services = "".join(f"{service} {name}:{LATEST}\n" for service, name in IMAGES.items())
        (self.state / "services").write_text(services)
        self._disk_kb = disk_kb
        self._program("docker", DOCKER)
        for name, text in FIXED.items():
            self._program(name, f"#!/bin/sh\n{text}\n")
        (self.state / "load.py").write_text(self._filled(LOAD))
        self.ssh = folder / "ssh"
        self.ssh.write_text(self._filled(SSH))
        self.ssh.chmod(0o755)

    def _filled(self, text: str) -> str:
        named = {"STATE": self.state, "ROOT": ROOT, "PYTHON": sys.executable, "DISK": self._disk_kb}
        for name, value in named.items():
            text = text.replace(f"@{name}@", str(value))
        return text

    def _program(self, name: str, text: str) -> None:
        path = self.state / "bin" / name
        path.write_text(self._filled(text))
        path.chmod(0o755)

    def set_disk(self, disk_kb: int) -> None:
        """Let the host have that much room."""
        self._disk_kb = disk_kb
        self._program("df", f"#!/bin/sh\n{FIXED['df']}\n")

    def lucid(self, action: str, *words: str) -> int:
        """Run `lucid deploy ACTION` against the host; its exit status."""
        return main(["deploy", action, "pi", "--ssh", str(self.ssh), "--wait", "1s", *words])

    def new_identity(self, folder: Path, name: str = "node") -> str:
        """Make a key and a genesis document that names it, in `folder`; the node's id."""
        key = folder / f"{name}.key"
        node = ed25519_public_key(write_key(key)).hex()
        genesis = folder / ("genesis.toml" if name == "node" else f"{name}.toml")
        assert main(["genesis", "new", str(genesis), "--node", f"{name}={node}"]) == 0
        return node

    def install(self, folder: Path, *words: str, name: str = "one") -> int:
        """Run `lucid deploy install` with what `new_identity` made; its exit status."""
        identity = ["--genesis", str(folder / "genesis.toml"), "--key", str(folder / "node.key")]
        settings = ["--set", "LUCID_PUBLISH=127.0.0.1", "--try", "health"]
        return self.lucid("install", *identity, "--images", str(folder / f"{name}.tar"), *settings, *words)

    def upgrade(self, folder: Path, name: str, *words: str) -> int:
        """Run `lucid deploy upgrade` to the images of that content; its exit status."""
        return self.lucid("upgrade", "--images", str(folder / f"{name}.tar"), "--try", "health", *words)

    def break_at(self, calls: int) -> None:
        """Let the power go at the Nth call of docker from now on."""
        (self.state / "break").write_text(f"{calls}\n")

    def cut_line(self) -> None:
        """The line is lost, the host goes on."""
        (self.state / "down").touch()

    def repair(self) -> bool:
        """The power is back; whether it was gone."""
        broken = (self.state / "down").exists()
        for name in ("down", "break"):
            (self.state / name).unlink(missing_ok=True)
        return broken

    def latest(self) -> set[str]:
        """The images' contents that the names of the Compose file lead to."""
        return self.tagged(LATEST)

    def tagged(self, tag: str) -> set[str]:
        """The contents of the images with a tag."""
        return {
            (self.state / "images" / path.read_text().strip()).read_text()
            for path in (self.state / "tags").rglob(f"*:{tag}")
        }

    def running(self) -> set[str]:
        """The contents of the images that containers were made of."""
        images = (self.state / "containers").glob("*/image")
        return {(self.state / "images" / path.read_text().strip()).read_text() for path in images}

    def spoil(self, content: str) -> None:
        """Images with that content do not work from now on."""
        self._rewrite(content, f"bad {content}")

    def mend(self, content: str) -> None:
        """They work again."""
        self._rewrite(f"bad {content}", content)

    def _rewrite(self, old: str, new: str) -> None:
        for path in (self.state / "images").iterdir():
            if path.read_text() == old:
                path.write_text(new)

    def images(self) -> int:
        """How many images there are."""
        return len(list((self.state / "images").iterdir()))

    def calls(self) -> list[str]:
        """What docker was told."""
        path = self.state / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def setting(self, name: str) -> str:
        """A variable of `.env`."""
        lines = (self.home / "lucid/.env").read_text().splitlines()
        return dict(line.partition("=")[::2] for line in lines).get(name, "")

    def volume(self, name: str) -> Path:
        """A volume's folder."""
        return self.state / "volumes" / f"lucid_{name}"

    def lose_data(self) -> None:
        """A card is lost."""
        for name in THERE:
            shutil.rmtree(self.state / name)
            (self.state / name).mkdir()

    def copied(self, folder: Path) -> FakeHost:
        """The same host, and the files beside it, in another folder: an install takes seconds."""
        for path in self.state.parent.iterdir():
            if path.is_file():
                shutil.copy2(path, folder)
        other = FakeHost(folder, self._disk_kb)
        for name in THERE:
            shutil.copytree(self.state / name, other.state / name, dirs_exist_ok=True)
        for path in (*other.state.glob("containers/*/folder"), *other.state.glob("owners/*")):
            path.write_text(path.read_text().replace(str(self.home), str(other.home)))
        return other


def program(path: Path, text: str) -> str:
    """A program of that shell text; its path."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def write_images(
    path: Path, content: str, platform: str = "arm64", names: list[str] | None = None, blobs: bool = False
) -> Path:
    """An archive of four images that hold `content`, as `docker save` writes it; with `blobs` as from Docker 25 on."""
    entries = []
    files: dict[str, bytes] = {}
    for number, name in enumerate([f"{name}:{LATEST}" for name in IMAGES.values()] if names is None else names):
        config = json.dumps({"os": "linux", "architecture": platform, "of": f"{content} {name}"}).encode()
        identity = f"{content.encode().hex()}{number:02}".ljust(64, "0")[:64]
        named = (f"blobs/sha256/{identity}", f"blobs/sha256/{identity[::-1]}")
        config_path, layer = named if blobs else (f"{identity}.json", f"{identity}/layer.tar")
        files[config_path], files[layer] = config, content.encode()
        entries.append({"Config": config_path, "RepoTags": [name], "Layers": [layer]})
    files["manifest.json"] = json.dumps(entries).encode()
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path
