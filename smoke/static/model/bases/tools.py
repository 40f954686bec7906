"""Programs that distributions have of themselves, by their names."""

from __future__ import annotations

_COREUTILS = (
    *["cat", "chmod", "chown", "cp", "cut", "date", "dirname", "basename", "echo", "env", "expr", "false", "find"],
    *[
        "grep",
        "head",
        "hostname",
        "id",
        "ln",
        "ls",
        "mkdir",
        "mktemp",
        "mv",
        "nproc",
        "printf",
        "pwd",
        "readlink",
        "rm",
    ],
    *[
        "rmdir",
        "sed",
        "seq",
        "sh",
        "sleep",
        "sort",
        "stat",
        "tail",
        "tar",
        "tee",
        "test",
        "timeout",
        "touch",
        "tr",
        "true",
    ],
    *["uname", "uniq", "wc", "which", "whoami", "xargs", "yes", "awk", "gzip", "gunzip", "kill", "su"],
)
DEBIAN_PROGRAMS = (
    *[*_COREUTILS, "bash", "apt-get", "apt", "dpkg", "useradd", "adduser", "groupadd", "addgroup", "usermod", "perl"],
    *["ldconfig", "passwd", "chroot", "mount", "diff", "nologin", "realpath", "tar"],
)
ALPINE_PROGRAMS = (
    *[*_COREUTILS, "busybox", "ash", "apk", "adduser", "addgroup", "wget", "nc", "vi", "unzip", "ping", "ps", "pgrep"],
    *["pkill", "top", "free", "crond", "crontab", "netstat", "ifconfig", "ip", "nslookup", "less", "bzip2"],
    *["patch", "realpath", "sha256sum", "diff", "chroot", "strings", "lsof"],
)
BUSYBOX_PROGRAMS = tuple(each for each in ALPINE_PROGRAMS if each != "apk")
BUILDPACK = (
    *["curl", "wget", "git", "gcc", "g++", "cc", "c++", "make", "ld", "strip", "objdump", "readelf", "gpg", "ssh"],
    *["scp", "ssh-keygen", "ssh-keyscan", "ssh-add", "ssh-agent", "sftp"],
    *["unzip", "xz", "bzip2", "patch", "file", "pkg-config", "ps", "pgrep", "pkill"],
    *["top", "free", "openssl", "convert", "identify", "pg_config", "python3", "perl"],
    *["mysql_config", "hg", "svn", "autoconf", "automake", "msgfmt", "xgettext", "envsubst"],
)
FEDORA_PROGRAMS = (*_COREUTILS, "bash", "curl", "dnf", "yum", "rpm", "gpg", "microdnf")
