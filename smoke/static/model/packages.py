"""Programs by the packages of each distribution that bring them.

Only programs that Dockerfiles, entry scripts and health checks commonly name are listed. The lists were put together by
hand in November 2026 for Debian 12, Ubuntu 24.04, Alpine 3.20 and Fedora 40; a package that is not listed may bring
anything.
"""

from __future__ import annotations

import re
from functools import cache

from msgspec import Struct

from smoke.static.regex import regex

_DEBIAN = """
bash: /bin/bash
bind9-dnsutils: dig nslookup
binutils: ld strip objdump readelf
build-essential: gcc g++ cc c++ make ld strip
busybox: busybox
bzip2: bzip2
cargo: cargo
chromium: chromium
clang: clang
cmake: cmake
cron: /usr/sbin/cron crontab
curl: curl
default-mysql-client: mysql mysqladmin mysqldump
dnsutils: dig nslookup
dumb-init: dumb-init
ffmpeg: ffmpeg ffprobe
file: file
g++: g++ c++ gcc cc
gcc: gcc cc
gdb: gdb
gettext: msgfmt xgettext envsubst
gettext-base: envsubst
git: git
gnupg: gpg
gnupg2: gpg gpg2
golang-go: go
gosu: /usr/sbin/gosu
graphviz: dot
htop: htop
imagemagick: convert identify
iproute2: ip ss
iputils-ping: ping
jq: jq
less: less
libpq-dev: pg_config
locales: locale-gen
lsb-release: lsb_release
lsof: lsof
make: make
mariadb-client: mariadb mysql mysqladmin mysqldump
nano: nano
ncat: ncat nc
net-tools: netstat ifconfig
netcat: nc netcat
netcat-openbsd: nc netcat
netcat-traditional: nc netcat
nginx: /usr/sbin/nginx
nodejs: node
npm: npm npx node
openssh-client: ssh scp ssh-keygen ssh-keyscan ssh-add ssh-agent sftp
openssh-server: /usr/sbin/sshd
openssl: openssl
pandoc: pandoc
patch: patch
perl: perl
pipx: pipx
pkg-config: pkg-config
poppler-utils: pdftotext pdftoppm
postgresql-client: psql pg_isready pg_dump pg_restore
procps: ps pgrep pkill top free
python-is-python3: python
python3: python3
python3-minimal: python3
python3-dev: python3-config
python3-full: python3
python3-pip: pip pip3
python3-setuptools:
python3-venv:
python3-virtualenv: virtualenv
python3-wheel:
redis-server: redis-server redis-cli
redis-tools: redis-cli
rsync: rsync
ruby: ruby
rustc: rustc
s3fs: s3fs
socat: socat
sqlite3: sqlite3
ssh: ssh scp ssh-keygen ssh-keyscan ssh-add ssh-agent sftp
strace: strace
sudo: sudo
supervisor: supervisord supervisorctl
swig: swig
tar: tar
tcpdump: tcpdump
telnet: telnet
tesseract-ocr: tesseract
tini: tini
tmux: tmux
tree: tree
tzdata:
unzip: unzip
vim: vim vi
wget: wget
wkhtmltopdf: wkhtmltopdf
xz-utils: xz
zip: zip
zstd: zstd
"""
_ALPINE = """
alpine-sdk: gcc g++ cc make git
bash: /bin/bash
bind-tools: dig nslookup
build-base: gcc g++ cc c++ make ld strip
busybox-extras: telnet
bzip2: bzip2
cargo: cargo rustc
cmake: cmake
coreutils:
curl: curl
dumb-init: dumb-init
ffmpeg: ffmpeg ffprobe
file: file
g++: g++ c++ gcc cc
gcc: gcc cc
gettext: envsubst msgfmt xgettext
git: git
gnupg: gpg
go: go
graphviz: dot
htop: htop
imagemagick: convert identify magick
iproute2: ip ss
iputils: ping
iputils-ping: ping
jq: jq
less: less
lsof: lsof
make: make
mariadb-client: mariadb mysql mysqladmin mysqldump
musl-dev:
mysql-client: mysql mysqladmin mysqldump
nano: nano
net-tools: netstat ifconfig
netcat-openbsd: nc
nginx: /usr/sbin/nginx
nodejs: node
npm: npm npx node
openssh: ssh scp ssh-keygen /usr/sbin/sshd
openssh-client: ssh scp ssh-keygen ssh-keyscan ssh-add ssh-agent sftp
openssl: openssl
pandoc: pandoc
patch: patch
perl: perl
pkgconf: pkg-config pkgconf
poppler-utils: pdftotext pdftoppm
postgresql-client: psql pg_isready pg_dump pg_restore
postgresql-dev: pg_config
postgresql-libs:
procps: ps pgrep pkill top free
py3-pip: pip pip3 python3 python
py3-setuptools:
py3-virtualenv: virtualenv
python3: python3 python
python3-dev: python3-config python3 python
redis: redis-server redis-cli
rsync: rsync
ruby: ruby
rust: rustc
shadow: /usr/sbin/useradd /usr/sbin/groupadd /usr/sbin/usermod
socat: socat
sqlite: sqlite3
strace: strace
su-exec: /sbin/su-exec
sudo: sudo
supervisor: supervisord supervisorctl
tar: tar
tcpdump: tcpdump
tesseract-ocr: tesseract
tini: /sbin/tini
tmux: tmux
tree: tree
tzdata:
unzip: unzip
vim: vim
wget: wget
xz: xz
zip: zip
zstd: zstd
"""
_FEDORA = """
bash: /bin/bash
bind-utils: dig nslookup
curl: curl
gcc: gcc cc
gcc-c++: g++ c++ gcc cc
git: git
jq: jq
make: make
nc: nc
nmap-ncat: nc ncat
nodejs: node npm npx
openssl: openssl
procps-ng: ps pgrep pkill top free
python3: python3
python3-devel: python3-config
python3-pip: pip pip3 python3
shadow-utils: /usr/sbin/useradd /usr/sbin/groupadd /usr/sbin/usermod
sudo: sudo
tar: tar
unzip: unzip
wget: wget
which: which
xz: xz
zip: zip
"""
_NO_PROGRAMS = regex(
    r"(?:lib[\w.+-]+|[\w.+-]+-(?:dev|libs|data|common|doc|devel|headers)|fonts?-[\w.-]+|ttf-[\w-]+|ca-certificates"
    r"|locales(?:-all)?|tzdata|gcompat|linux-headers|musl|apt-transport-https|software-properties-common"
    r"|python3-(?!pip|full|venv)[\w.-]+|py3-(?!pip)[\w.-]+|icu-[\w-]+|musl-locales|krb5-multidev|dirmngr"
    r"|tesseract-ocr-data-\w+)"
)
"""Packages of these names bring no program that anyone starts."""
_WITH_RECOMMENDS = {
    "git": ("less", "openssh-client", "patch"),
    "python3-pip": ("build-essential", "python3-dev"),
    "build-essential": ("patch", "perl"),
    "g++": (),
    "curl": (),
    "wget": (),
}
_DEPENDS = {
    "python3-pip": ("python3",),
    "python3-venv": ("python3",),
    "python3-dev": ("python3",),
    "python3-full": ("python3",),
    "python3-virtualenv": ("python3",),
    "python3-setuptools": ("python3",),
    "python3-wheel": ("python3",),
    "python-is-python3": ("python3",),
    "pipx": ("python3",),
    "supervisor": ("python3",),
    "git": ("perl",),
    "build-essential": ("perl", "binutils", "patch"),
    "alpine-sdk": ("build-base", "patch"),
}
_WITH_PYTHON = {
    "debian": regex(
        r"python3-(?:(?!-(?:doc|examples)$)[\w.+-])+|software-properties-common|npm|lib(?:glib2\.0|gtk-[34]|gtk2\.0|cairo2"
        r"|pango1\.0|gdk-pixbuf-?2\.0|girepository-?[\d.]+|gstreamer[a-z-]*1\.0|boost-(?:all|python)|rsvg2|vips|atk1\.0"
        r"|harfbuzz|poppler-glib|webkit2gtk-[\d.]+|secret-1|soup-?[\d.]+|notify|magickwand|gexiv2)-dev"
    ),
    "alpine": regex(r"py3-(?:(?!-(?:doc|pyc)$)[\w.+-])+|(?:glib|cairo|pango|gdk-pixbuf|gobject-introspection)-dev"),
    "fedora": regex(r"python3-[\w.+-]+"),
}
"""Packages that need the system's Python."""
_PLAIN = {
    "debian": """
acl antiword apache2-utils apt-utils aria2 aspell at attr autoconf automake bat bc bison brotli catdoc cpio dbus
debianutils dialog diffutils dos2unix e2fsprogs espeak ethtool expect fakeroot fdupes figlet findutils fontconfig
freetds-bin fuse fuse3 fzf gawk ghostscript gifsicle grep gzip haproxy hdparm hunspell iftop inotify-tools iptables
iputils-tracepath jpegoptim kmod krb5-user ldap-utils lftp lz4 m4 man-db mandoc mawk mediainfo memcached mpg123 mtr
ncdu ncurses-bin nkf nmap nmon odbcinst optipng p7zip-full pdftk pngquant pv pwgen qpdf rclone restic ripgrep runit
screen sed silversearcher-ag sl sox sshpass stunnel4 sysstat tdsodbc traceroute uchardet unixodbc unrar-free usbutils
util-linux uuid-runtime whois wireguard-tools x11-utils xauth xclip xfonts-base xvfb zbar-tools zsh
""",
    "alpine": """
acl apache2-utils attr bc bison brotli busybox-suid ca-certificates-bundle catdoc dcron dialog diffutils
docker-cli dos2unix e2fsprogs ethtool expat fcgi figlet findutils flex fontconfig freetds freetype fuse gawk gdal geos
ghostscript giflib gmp grep gzip haproxy icu ipset iptables jpeg jpegoptim kmod krb5 leptonica lftp logrotate lz4 m4
mandoc mandoc-apropos man-pages mc memcached mtr musl-utils ncurses ncurses-terminfo-base nmap openjpeg
openldap-clients openrc optipng pcre pcre2 pngquant proj pv pwgen qpdf rclone readline restic runit s6 screen sed sl
sqlite-libs sshpass stunnel sysstat traceroute ttyd unixodbc util-linux vips whois wireguard-tools xauth xclip xvfb
zbar zsh
""",
}
"""Other packages that are often asked for, and bring neither Python nor any program of the lists above."""


_MANAGERS = frozenset(
    [
        "cd",
        "export",
        "source",
        "alias",
        "apt-get",
        "apt",
        "dpkg",
        "apk",
        "dnf",
        "yum",
        "microdnf",
        "rpm",
        "useradd",
        "groupadd",
        "usermod",
        "bash",
    ]
)
"""What is of the shell alone, or comes with a distribution itself and with no package of another one's."""


class PackageContents(Struct, frozen=True):
    """What installed packages put where they put it."""

    programs: tuple[str, ...] = ()
    """Absolute paths."""
    unknown: tuple[str, ...] = ()
    """Packages that are in no list here: they may bring anything."""


@cache
def _table(system: str) -> dict[str, tuple[str, ...]]:
    text = {"alpine": _ALPINE, "fedora": _FEDORA}.get(system, _DEBIAN)
    found = {}
    for line in text.strip().splitlines():
        name, _, programs = line.partition(":")
        found[name] = tuple(each if each.startswith("/") else f"/usr/bin/{each}" for each in programs.split())
    return found


@cache
def _plain(system: str) -> frozenset[str]:
    return frozenset(_PLAIN.get(system, "").split())


@cache
def known_programs() -> frozenset[str]:
    """Names of the programs that some list here has: one that none has brought is not there."""
    tables = (_table(system) for system in ("debian", "alpine", "fedora"))
    listed = {path.rpartition("/")[2] for table in tables for paths in table.values() for path in paths}
    return frozenset(listed | _MANAGERS | {"python2", "pnpm", *(f"python3.{minor}" for minor in range(6, 17))})


@cache
def system_programs() -> frozenset[str]:
    """Those of them that no Python distribution brings."""
    return known_programs() - {"cmake", "virtualenv", "pip", "pip3", "node", "npm", "npx", "pnpm"}


def install_line(system: str, program: str) -> str:
    """The RUN that brings a program to a distribution; empty when no list has it."""
    named = [name for name, paths in _table(system).items() if any(path.endswith(f"/{program}") for path in paths)]
    if not system or not named:
        return ""
    package = program if program in named else min(named, key=len)
    return {
        "alpine": f"RUN apk add --no-cache {package}",
        "fedora": f"RUN dnf install -y {package}",
    }.get(system, f"RUN apt-get update && apt-get install -y --no-install-recommends {package}")


def packages_bring(system: str, names: list[str], *, recommends: bool) -> PackageContents:
    """What a distribution's packages put there, with what they need, as far as the lists know."""
    table = _table(system)
    programs: dict[str, None] = {}
    unknown: list[str] = []
    pending, seen = [*names], set[str]()
    while pending:
        given = pending.pop(0)
        name = re.split(r"[=:@<>~/]", given)[0]
        if not name or name in seen:
            continue
        seen.add(name)
        programs |= dict.fromkeys(_versioned(system, name))
        if name in table:
            programs |= dict.fromkeys(table[name])
            pending += _DEPENDS.get(name, ())
            if recommends and system == "debian":
                pending += _WITH_RECOMMENDS.get(name, ())
        elif not _NO_PROGRAMS.fullmatch(name) and not _versioned(system, name) and name not in _plain(system):
            unknown.append(given)
        if system in _WITH_PYTHON and _WITH_PYTHON[system].fullmatch(name):
            pending.append("python3")
    return PackageContents(tuple(programs), tuple(unknown))


def _versioned(system: str, name: str) -> tuple[str, ...]:
    """`python3.11`, `postgresql-client-16`, `openjdk-17-jre` and their kind."""
    if match := re.fullmatch(r"(python3\.\d+)(?:-(?:dev|venv|minimal|distutils|full))?", name):
        return (f"/usr/bin/{match[1]}",)
    if match := re.fullmatch(r"postgresql-?(?:client-?)?\d+(-client)?", name):
        return _table("debian")["postgresql-client"]
    if re.fullmatch(r"(?:openjdk-?\d+-|default-)(?:jre|jdk)(?:-headless)?", name):
        return ("/usr/bin/java",)
    if match := re.fullmatch(r"(gcc|g\+\+|clang)-\d+", name):
        return (f"/usr/bin/{name}",)
    if system == "alpine" and (match := re.fullmatch(r"(nodejs)-(?:current|lts)", name)):
        return ("/usr/bin/node",)
    return ()
