"""Images that others publish: uv's, AWS Lambda's, conda's, NVIDIA's, Airflow's, Jupyter's."""

from __future__ import annotations

import re

from msgspec.structs import replace

from smoke.manifest import Base
from smoke.static.model.bases.official import MIRROR, USUAL_PATH, made_base, official_tag, python_image, system_image
from smoke.static.model.bases.tools import ALPINE_PROGRAMS, BUILDPACK, DEBIAN_PROGRAMS


def of_uv(name: str) -> Base | None:
    """uv's images: the program alone, or upon one of Docker's."""
    match = re.fullmatch(rf"{MIRROR}astral-sh/uv(?::([\w.-]+))?", name)
    if match is None:
        return None
    tag = match[1] or "latest"
    python = re.search(r"python(3\.\d+)(?:\.\d+)?-?([\w-]*)", tag)
    if python is not None:
        variant = python[2] or "bookworm"
        base = python_image(name, f"{python[1]}-{variant}")
    else:
        system = re.search(r"(alpine|bookworm|trixie|debian)", tag)
        if system is None:
            return Base(image=name, executables=("/uv", "/uvx"), complete=True, distroless=True, path=USUAL_PATH)
        base = system_image(name, "alpine" if system[1] == "alpine" else "debian", tag)
    if base is None:
        return None
    return replace(base, executables=(*base.executables, "/usr/local/bin/uv", "/usr/local/bin/uvx"))


def of_lambda(name: str) -> Base | None:
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


def of_conda(name: str) -> Base | None:
    """Conda's images: Python and all else below one prefix."""
    full = r"(?:continuumio/(?:miniconda3|anaconda3)|condaforge/(?:mini(?:forge|mamba)3?|mambaforge))"
    if match := re.fullmatch(rf"{MIRROR}{full}(?::[\w.-]+)?", name):
        tools = ("python", "python3", "pip", "conda", *(("mamba",) if "condaforge" in match[0] else ()))
        prefix = "/opt/conda/bin"
        own = tuple(f"{prefix}/{each}" for each in tools)
        found = made_base(name, "debian", DEBIAN_PROGRAMS, own, command=("/bin/bash",))
    elif re.fullmatch(rf"{MIRROR}mambaorg/micromamba(?::[\w.-]+)?", name):
        prefix = "/opt/conda/bin"
        programs = ("/usr/local/bin/micromamba", "/usr/local/bin/_entrypoint.sh")
        start = ("/usr/local/bin/_entrypoint.sh",)
        found = made_base(
            name, "debian", DEBIAN_PROGRAMS, programs, entrypoint=start, command=("/bin/bash",), user="mambauser"
        )
    else:
        return None
    return replace(
        found, path=(prefix, *USUAL_PATH), lacks=tuple(each for each in found.lacks if each not in _OF_CONDA)
    )


def of_toolchain(name: str) -> Base | None:
    """Images to compile with: Go's and Rust's, upon Debian with a C compiler, or upon Alpine."""
    tags = ((kind, official_tag(name, kind)) for kind in ("golang", "rust"))
    kind, tag = next(((kind, tag) for kind, tag in tags if tag is not None), ("", ""))
    if not kind or "windows" in tag or "nanoserver" in tag:
        return None
    alpine = "alpine" in tag
    home = {"golang": "/usr/local/go/bin", "rust": "/usr/local/cargo/bin"}[kind]
    own = {"golang": ("go", "gofmt"), "rust": ("cargo", "rustc", "rustup", "rustfmt", "rustdoc")}[kind]
    if alpine:
        tools = (*ALPINE_PROGRAMS, *(("gcc", "cc", "ld", "strip") if kind == "rust" else ()))
    else:
        tools = (*DEBIAN_PROGRAMS, *BUILDPACK)
    found = made_base(name, "alpine" if alpine else "debian", tools, tuple(f"{home}/{each}" for each in own))
    work = {"golang": "/go", "rust": "/"}[kind]
    path = ("/go/bin", home) if kind == "golang" else (home,)
    return replace(found, path=(*path, *USUAL_PATH), workdir=work, command=("/bin/sh" if alpine else "/bin/bash",))


def of_cuda(name: str) -> Base | None:
    """NVIDIA's images for CUDA: Ubuntu with libraries, and compilers in `devel`; none has Python."""
    match = re.fullmatch(rf"{MIRROR}nvidia/cuda:[\w.]+(?:-[\w.]+)*?-(base|runtime|devel)-ubuntu[\d.]+", name)
    if match is None:
        return None
    more = BUILDPACK if match[1] == "devel" else ("curl", "gpg")
    tools = (*DEBIAN_PROGRAMS, *(each for each in more if each not in ("python3", "git")))
    return made_base(name, "debian", tools, command=("/bin/bash",))


def of_others(name: str) -> Base | None:
    """Images of which little more is known than that they run as a user of their own, who is not root."""
    if re.fullmatch(rf"{MIRROR}apache/airflow(?::[\w.-]+)?", name):
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
        rf"{MIRROR}jupyter/(?:base|minimal|scipy|datascience|tensorflow|pytorch|pyspark|r)-notebook(?::[\w.-]+)?", name
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
