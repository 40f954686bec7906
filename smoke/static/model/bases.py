"""Base images that are known: what they start, as whom, and what Python, shell and programs they have.

Sources: the images' published configuration and package lists. A base that is not here (or in the manifest) is unknown,
and nothing is assumed of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec.structs import replace

from smoke.manifest import Base
from smoke.patterns import matches
from smoke.static.model.filesystem import Cause, Doubt, Entry, FileSystem
from smoke.static.model.packages import known_programs

USUAL_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_LIBRARY = r"(?:(?:docker\.io|mirror\.gcr\.io|public\.ecr\.aws/docker|registry\.hub\.docker\.com)/)?(?:library/)?"
_MIRROR = r"(?:[\w.-]+(?::\d+)?/(?:[\w.-]+/)*)?"
_PYTHON_TAG = re.compile(r"(?P<version>3\.\d+)(?:\.\d+)?(?:(?:a|b|rc)\d+)?(?P<variant>[-.\w]*)")
_DISTROLESS = re.compile(r"gcr\.io/distroless/([\w-]+?)(?:-debian(\d+))?(?::([\w.-]+))?")
_DEBIAN_PYTHON = {"11": "3.9", "12": "3.11", "13": "3.13"}
_RELEASES = {
    **{"bullseye": "3.9", "11": "3.9", "bookworm": "3.11", "12": "3.11", "trixie": "3.13", "13": "3.13"},
    **{"focal": "3.8", "20.04": "3.8", "jammy": "3.10", "22.04": "3.10", "noble": "3.12", "24.04": "3.12"},
    **{"3.18": "3.11", "3.19": "3.11", "3.20": "3.12", "3.21": "3.12", "3.22": "3.12"},
}
"""The Python that a release's own package brings, by the release's name or number."""
NONROOT = 65532

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
_DEBIAN_PROGRAMS = (
    *[*_COREUTILS, "bash", "apt-get", "apt", "dpkg", "useradd", "adduser", "groupadd", "addgroup", "usermod", "perl"],
    *["ldconfig", "passwd", "chroot", "mount", "diff", "nologin", "realpath", "tar"],
)
_ALPINE_PROGRAMS = (
    *[*_COREUTILS, "busybox", "ash", "apk", "adduser", "addgroup", "wget", "nc", "vi", "unzip", "ping", "ps", "pgrep"],
    *["pkill", "top", "free", "crond", "crontab", "netstat", "ifconfig", "ip", "nslookup", "less", "bzip2"],
    *["patch", "realpath", "sha256sum", "diff", "chroot", "strings", "lsof"],
)
_BUSYBOX_PROGRAMS = tuple(each for each in _ALPINE_PROGRAMS if each != "apk")
_BUILDPACK = (
    *["curl", "wget", "git", "gcc", "g++", "cc", "c++", "make", "ld", "strip", "objdump", "readelf", "gpg", "ssh"],
    *["scp", "ssh-keygen", "ssh-keyscan", "ssh-add", "ssh-agent", "sftp"],
    *["unzip", "xz", "bzip2", "patch", "file", "pkg-config", "ps", "pgrep", "pkill"],
    *["top", "free", "openssl", "convert", "identify", "pg_config", "python3", "perl"],
    *["mysql_config", "hg", "svn", "autoconf", "automake", "msgfmt", "xgettext", "envsubst"],
)
_FEDORA_PROGRAMS = (*_COREUTILS, "bash", "curl", "dnf", "yum", "rpm", "gpg", "microdnf")
_USERS = {
    "debian": {
        **{"root": 0, "daemon": 1, "bin": 2, "sys": 3, "sync": 4, "games": 5, "man": 6, "lp": 7, "mail": 8, "news": 9},
        **{"uucp": 10, "proxy": 13, "www-data": 33, "backup": 34, "list": 38, "irc": 39, "_apt": 42, "nobody": 65534},
    },
    "alpine": {
        **{"root": 0, "bin": 1, "daemon": 2, "lp": 4, "sync": 5, "shutdown": 6, "halt": 7, "mail": 8, "news": 9},
        **{"uucp": 10, "cron": 16, "ftp": 21, "sshd": 22, "games": 35, "ntp": 123, "guest": 405, "nobody": 65534},
    },
}


def find_base(reference: str, more: Iterable[Base]) -> Base | None:
    """The entry of the manifest (first) or of the catalog for an image's reference; none when it is unknown."""
    for base in more:
        if matches(base.image, reference):
            return base
    name = reference.partition("@")[0]
    if name == "scratch":
        return Base(image=reference, complete=True, distroless=True)
    if not name.partition(":")[0].strip("/"):
        return None
    kinds = (_distroless, _astral, _lambda, _chainguard, _conda, _official, _cuda, _of_others)
    return next((found for kind in kinds if (found := kind(name)) is not None), None)


def _distroless(name: str) -> Base | None:
    match = _DISTROLESS.fullmatch(name)
    if match is None:
        return None
    kind, release, tag = match[1], match[2] or "12", match[3] or "latest"
    debug = tag.startswith("debug")
    version = _DEBIAN_PYTHON.get(release, "") if kind == "python3" else ""
    if kind not in ("python3", "static", "base", "base-nossl", "cc") or (kind == "python3" and not version):
        return None
    programs = [f"/usr/bin/python{version}", "/usr/bin/python3", "/usr/bin/python"] if version else []
    return Base(
        image=name,
        python=version or None,
        entrypoint=(f"/usr/bin/python{version}",) if version else (),
        user=str(NONROOT) if "nonroot" in tag else "0",
        path=(*USUAL_PATH, *(("/busybox",) if debug else ())),
        sites=(f"/usr/local/lib/python{version}/dist-packages", "/usr/lib/python3/dist-packages") if version else (),
        executables=(*programs, *(("/busybox/sh", "/busybox/busybox", "/busybox/wget") if debug else ())),
        shell=False,
        complete=not debug,
        distroless=True,
        libc="" if kind == "static" else "glibc",
    )


def _split(name: str, repository: str) -> str | None:
    """The tag of an image of an official repository, by way of a mirror or not; none when it is another image."""
    mirror = rf"{_MIRROR}(?:library|dockerhub|docker\.io|docker-hub|hub)/"
    match = re.fullmatch(rf"(?:{_LIBRARY}|{mirror}){repository}(?::([\w.-]+))?", name)
    return None if match is None else match[1] or "latest"


def _official(name: str) -> Base | None:
    """Docker's official images."""
    tag = _split(name, "python")
    if tag is not None:
        return _python(name, tag)
    for repository in ("debian", "ubuntu", "alpine", "busybox", "fedora", "buildpack-deps", "nginx", "node"):
        tag = _split(name, repository)
        if tag is not None:
            return _system(name, repository, tag)
    return None


def _python(name: str, tag: str) -> Base | None:
    match = _PYTHON_TAG.fullmatch(tag)
    if match is None and not re.fullmatch(r"(?:latest|3(?:-slim|-alpine)?|slim|alpine|bookworm|trixie)[\w.-]*", tag):
        return None
    version = match["version"] if match else ""
    variant = match["variant"] if match else f"-{tag}"
    programs = [f"/usr/local/bin/{each}" for each in ("python3", "python", "pip3", "pip", "idle3", "pydoc3")]
    if version:
        programs += [f"/usr/local/bin/python{version}", f"/usr/local/bin/pip{version}"]
    alpine, slim = "alpine" in variant, "slim" in variant
    if "windows" in variant:
        return None
    tools = _ALPINE_PROGRAMS if alpine else _DEBIAN_PROGRAMS if slim else (*_DEBIAN_PROGRAMS, *_BUILDPACK)
    return _base(
        name,
        "alpine" if alpine else "debian",
        tools,
        programs=tuple(programs),
        python=version or None,
        command=("python3",),
        sites=(f"/usr/local/lib/python{version}/site-packages",) if version else (),
    )


def _base(name: str, system: str, tools: Iterable[str], programs: tuple[str, ...] = (), **more: object) -> Base:
    """A base of a distribution with these programs, and none of the others that the lists know."""
    own = {*tools}
    places = [f"/{'bin' if each in ('sh', 'bash', 'ash', 'busybox') else 'usr/bin'}/{each}" for each in sorted(own)]
    present = own | {each.rpartition("/")[2] for each in programs}
    return Base(
        image=name,
        executables=(*programs, *places),
        lacks=tuple(sorted(known_programs() - present)),
        shell=True,
        path=USUAL_PATH,
        system=system,
        libc="musl" if system == "alpine" else "glibc",
        **more,  # type: ignore[arg-type]
    )


def _system(name: str, repository: str, tag: str) -> Base:
    """Distributions without Python, and images that are built on them."""
    alpine = repository in ("alpine", "busybox") or "alpine" in tag
    shell = "/bin/sh" if alpine else "/bin/bash"
    tools = {
        "busybox": _BUSYBOX_PROGRAMS,
        "fedora": _FEDORA_PROGRAMS,
        "buildpack-deps": (*_DEBIAN_PROGRAMS, *_BUILDPACK),
        "nginx": (*_DEBIAN_PROGRAMS, "nginx", "curl", "envsubst"),
        "node": (*_DEBIAN_PROGRAMS, *(() if "slim" in tag else _BUILDPACK), "node", "npm", "npx", "yarn"),
    }.get(repository, _DEBIAN_PROGRAMS)
    if alpine and repository != "busybox":
        extra = {"nginx": ("nginx", "curl", "envsubst"), "node": ("node", "npm", "npx", "yarn")}.get(repository, ())
        tools = (*_ALPINE_PROGRAMS, *extra)
    system = "alpine" if alpine else "fedora" if repository == "fedora" else "debian"
    if repository == "node":
        start = ("/usr/local/bin/docker-entrypoint.sh",)
        return _base(name, system, tools, start, entrypoint=("docker-entrypoint.sh",), command=("node",))
    if repository == "nginx":
        start = ("/docker-entrypoint.sh",)
        return _base(name, system, tools, start, entrypoint=start, command=("nginx", "-g", "daemon off;"))
    return _base(name, system, tools, command=(shell,))


def _astral(name: str) -> Base | None:
    """uv's images: the program alone, or upon one of Docker's."""
    match = re.fullmatch(rf"{_MIRROR}astral-sh/uv(?::([\w.-]+))?", name)
    if match is None:
        return None
    tag = match[1] or "latest"
    python = re.search(r"python(3\.\d+)(?:\.\d+)?-?([\w-]*)", tag)
    if python is not None:
        variant = python[2] or "bookworm"
        base = _python(name, f"{python[1]}-{variant}")
    else:
        system = re.search(r"(alpine|bookworm|trixie|debian)", tag)
        if system is None:
            return Base(image=name, executables=("/uv", "/uvx"), complete=True, distroless=True, path=USUAL_PATH)
        base = _system(name, "alpine" if system[1] == "alpine" else "debian", tag)
    if base is None:
        return None
    return replace(base, executables=(*base.executables, "/usr/local/bin/uv", "/usr/local/bin/uvx"))


def _lambda(name: str) -> Base | None:
    """AWS Lambda's Python: its own entry point takes the handler's name."""
    match = re.fullmatch(r"(?:public\.ecr\.aws/lambda/python|amazon/aws-lambda-python):(3\.\d+)[\w.-]*", name)
    if match is None:
        return None
    version = match[1]
    home = "/var/lang"
    return Base(
        image=name,
        python=version,
        entrypoint=("/lambda-entrypoint.sh",),
        path=("/var/lang/bin", *USUAL_PATH, "/opt/bin"),
        sites=(f"{home}/lib/python{version}/site-packages",),
        executables=(
            *(f"{home}/bin/{each}" for each in ("python3", f"python{version}", "pip", "pip3")),
            *("/lambda-entrypoint.sh", "/bin/sh", "/bin/bash"),
        ),
        shell=True,
        system="fedora",
        libc="glibc",
        environment={"LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime"},
        workdir="/var/task",
    )


def _chainguard(name: str) -> Base | None:
    """Chainguard's Python: no shell but in `-dev`, user 65532; its version floats."""
    match = re.fullmatch(r"cgr\.dev/[\w.-]+/python(?::([\w.-]+))?", name)
    if match is None:
        return None
    tag = match[1] or "latest"
    version = re.match(r"3\.\d+", tag)
    dev = tag.endswith("-dev")
    programs = ["/usr/bin/python", "/usr/bin/python3", *([f"/usr/bin/python{version[0]}"] if version else [])]
    if dev:
        programs += ["/bin/sh", "/usr/bin/pip", "/bin/busybox", "/sbin/apk"]
    return Base(
        image=name,
        python=version[0] if version else None,
        entrypoint=("/usr/bin/python",),
        user=str(NONROOT),
        path=USUAL_PATH,
        sites=(f"/usr/lib/python{version[0]}/site-packages",) if version else (),
        executables=tuple(programs),
        shell=dev,
        distroless=not dev,
        libc="glibc",
    )


def _conda(name: str) -> Base | None:
    """Conda's images: Python and all else below one prefix."""
    full = r"(?:continuumio/(?:miniconda3|anaconda3)|condaforge/(?:mini(?:forge|mamba)3?|mambaforge))"
    if match := re.fullmatch(rf"{_MIRROR}{full}(?::[\w.-]+)?", name):
        tools = ("python", "python3", "pip", "conda", *(("mamba",) if "condaforge" in match[0] else ()))
        prefix = "/opt/conda/bin"
        own = tuple(f"{prefix}/{each}" for each in tools)
        found = _base(name, "debian", _DEBIAN_PROGRAMS, own, command=("/bin/bash",))
    elif re.fullmatch(rf"{_MIRROR}mambaorg/micromamba(?::[\w.-]+)?", name):
        prefix = "/opt/conda/bin"
        programs = ("/usr/local/bin/micromamba", "/usr/local/bin/_entrypoint.sh")
        start = ("/usr/local/bin/_entrypoint.sh",)
        found = _base(
            name, "debian", _DEBIAN_PROGRAMS, programs, entrypoint=start, command=("/bin/bash",), user="mambauser"
        )
    else:
        return None
    return replace(
        found, path=(prefix, *USUAL_PATH), lacks=tuple(each for each in found.lacks if each not in _OF_CONDA)
    )


def _cuda(name: str) -> Base | None:
    """NVIDIA's images for CUDA: Ubuntu with libraries, and compilers in `devel`; none has Python."""
    match = re.fullmatch(rf"{_MIRROR}nvidia/cuda:[\w.]+(?:-[\w.]+)*?-(base|runtime|devel)-ubuntu[\d.]+", name)
    if match is None:
        return None
    more = _BUILDPACK if match[1] == "devel" else ("curl", "gpg")
    tools = (*_DEBIAN_PROGRAMS, *(each for each in more if each not in ("python3", "git")))
    return _base(name, "debian", tools, command=("/bin/bash",))


def _of_others(name: str) -> Base | None:
    """Images of which little more is known than that they run as a user of their own, who is not root."""
    if re.fullmatch(rf"{_MIRROR}apache/airflow(?::[\w.-]+)?", name):
        return Base(
            image=name,
            entrypoint=("/usr/bin/dumb-init", "--", "/entrypoint"),
            user="airflow",
            path=("/root/bin", "/home/airflow/.local/bin", *USUAL_PATH),
            executables=("/usr/bin/dumb-init", "/entrypoint", "/bin/sh", "/bin/bash"),
            shell=True,
            system="debian",
            libc="glibc",
            workdir="/opt/airflow",
        )
    if re.fullmatch(
        rf"{_MIRROR}jupyter/(?:base|minimal|scipy|datascience|tensorflow|pytorch|pyspark|r)-notebook(?::[\w.-]+)?", name
    ):
        return Base(
            image=name,
            user="jovyan",
            path=("/opt/conda/bin", *USUAL_PATH),
            executables=("/usr/bin/tini", "/bin/sh", "/bin/bash", "/opt/conda/bin/start-notebook.sh"),
            entrypoint=("tini", "-g", "--"),
            command=("start-notebook.sh",),
            shell=True,
            system="debian",
            libc="glibc",
            workdir="/home/jovyan",
        )
    return None


_OF_CONDA = frozenset(["python", "python3", "pip", "pip3", "node", "npm", "npx", "curl", "wget", "git", "openssl"])
"""What a conda environment may well have, which nothing here follows."""


def release_python(reference: str) -> str:
    """The version of the Python that a distribution's own package brings; empty when it is not known."""
    tag = re.sub(r".*ubuntu(?=\d)", "", reference.partition("@")[0].rpartition(":")[2])
    found = (name for name in _RELEASES if re.match(rf"(?:.*-)?{re.escape(name)}\b", tag))
    return _RELEASES[name] if (name := next(found, "")) else ""


_RELEASE_NAMES = {
    **{"bullseye": "bullseye", "bookworm": "bookworm", "trixie": "trixie"},
    **{"focal": "focal", "jammy": "jammy", "noble": "noble", "20.04": "focal", "22.04": "jammy", "24.04": "noble"},
}
_DEBIAN_NUMBERS = {"11": "bullseye", "12": "bookworm", "13": "trixie"}


def release_of(reference: str) -> str:
    """The release of Debian or Ubuntu that a reference names; empty for a tag that floats and where it is unknown."""
    name, _, tag = reference.partition("@")[0].rpartition(":")
    found = next((release for word, release in _RELEASE_NAMES.items() if word in re.split(r"[-_]", tag)), "")
    if not found and re.search(r"(?:^|/)debian$", name):
        found = _DEBIAN_NUMBERS.get(re.split(r"[-.]", tag)[0], "")
    return found or next((each for word, each in _RELEASE_NAMES.items() if tag.endswith(f"ubuntu{word}")), "")


def is_slim(base: Base) -> bool:
    """Whether a base of the catalog is Debian with nothing but Python added."""
    plain = re.search(r"(?:^|/)(?:python:[^:]*slim|debian:)", base.image) is not None
    return plain and base.system == "debian" and "curl" in base.lacks


def users_of(base: Base | None) -> dict[str, int] | None:
    """All users of a base by name; none when they are not known."""
    if base is None or base.system not in _USERS:
        return None
    found = dict(_USERS[base.system])
    if re.search(r"(?:^|/)node(?::|$)", base.image):
        found["node"] = 1000
    if re.search(r"(?:^|/)nginx(?::|$)", base.image):
        found["nginx"] = 101
    if "ubuntu" in base.image:
        found["ubuntu"] = 1000
    if "micromamba" in base.image:
        found["mambauser"] = 57439
    if "apache/airflow" in base.image:
        found["airflow"] = 50000
    if "-notebook" in base.image:
        found["jovyan"] = 1000
    return found


def base_files(base: Base | None, reference: str) -> FileSystem:  # noqa: PLR0912 - a case a kind of base
    """The file system that a stage begins with."""
    files = FileSystem()
    if base is None:
        files.doubts["/"] = Doubt(f"the base image {reference} is unknown", Cause.UNKNOWN_BASE)
        return files
    if base.system in ("debian", "fedora"):
        for name in ("bin", "sbin", "lib"):  # merged into /usr
            files.add(f"/usr/{name}", Entry("directory", mode=0o755))
            files.link(f"/{name}", f"usr/{name}")
    for path in base.executables:
        files.add(path, Entry("file", mode=0o755))
    if base.shell and files.find("/bin/sh") is None:
        files.add("/bin/sh", Entry("file", mode=0o755))
    files.add("/tmp", Entry("directory", mode=0o1777))
    if base.shell and base.system:
        for name in ("home", "srv", "mnt", "media"):
            files.add(f"/{name}", Entry("directory", mode=0o755))
    if base.workdir not in ("", "/"):
        files.add(base.workdir, Entry("directory", mode=0o755))
    for site in base.sites:
        files.add(site, Entry("directory", mode=0o755))
    if base.distroless:
        files.add("/home/nonroot", Entry("directory", user=NONROOT, mode=0o700))
    if base.shell or base.distroless:
        files.add("/root", Entry("directory", user=0, mode=0o700))
    doubt = Doubt(f"not everything in the base image {reference} is known", Cause.BASE)
    if base.complete and base.executables:
        for path in ("/usr/lib", "/usr/share", "/lib", "/etc", "/var"):
            files.doubts[path] = doubt
    if not base.complete:
        for path in ("/usr", "/bin", "/sbin", "/lib", "/etc", "/opt", "/var"):
            files.doubts[path] = doubt
    return files
