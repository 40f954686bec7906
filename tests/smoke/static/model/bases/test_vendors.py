"""Images that others publish."""

from __future__ import annotations

import pytest

from smoke.static.model.bases.vendors import of_conda, of_cuda, of_lambda, of_others, of_toolchain, of_uv


@pytest.mark.parametrize(
    ("tag", "python", "libc"),
    [
        ("python3.12-bookworm-slim", "3.12", "glibc"),
        ("python3.13-alpine", "3.13", "musl"),
        ("0.5.1-python3.12-bookworm", "3.12", "glibc"),
        ("bookworm-slim", None, "glibc"),
    ],
)
def test_uv_stands_upon_dockers_images(tag: str, python: str | None, libc: str) -> None:
    base = of_uv(f"ghcr.io/astral-sh/uv:{tag}")
    assert base is not None and (base.python, base.libc) == (python, libc)
    assert "/usr/local/bin/uv" in base.executables and base.shell


def test_uv_alone_is_nothing_but_the_program() -> None:
    base = of_uv("ghcr.io/astral-sh/uv:0.5.1")
    assert base is not None and base.complete and base.executables == ("/uv", "/uvx")


def test_lambda_starts_its_own_entry_point() -> None:
    base = of_lambda("public.ecr.aws/lambda/python:3.12")
    assert base is not None and base.entrypoint == ("/lambda-entrypoint.sh",)
    assert base.environment["LAMBDA_TASK_ROOT"] == base.workdir == "/var/task"
    assert of_lambda("public.ecr.aws/lambda/nodejs:20") is None


@pytest.mark.parametrize(
    ("name", "program", "user"),
    [
        ("continuumio/miniconda3", "/opt/conda/bin/conda", "0"),
        ("condaforge/miniforge3:24.1", "/opt/conda/bin/mamba", "0"),
        ("mambaorg/micromamba:1.5", "/usr/local/bin/micromamba", "mambauser"),
    ],
)
def test_condas_images_have_their_prefix_first(name: str, program: str, user: str) -> None:
    base = of_conda(name)
    assert base is not None and program in base.executables and base.path[0] == "/opt/conda/bin"
    assert (base.user or "0") == user
    assert "python" not in base.lacks, "an environment may well have it"


def test_cuda_has_no_python_and_compilers_in_devel_alone() -> None:
    runtime, devel = (of_cuda(f"nvidia/cuda:12.4.1-{kind}-ubuntu22.04") for kind in ("runtime", "devel"))
    assert runtime is not None and devel is not None
    assert "python3" in runtime.lacks and "python3" in devel.lacks
    assert "gcc" in runtime.lacks and "gcc" not in devel.lacks
    assert of_cuda("nvidia/cuda:12.4.1-runtime-ubi8") is None


@pytest.mark.parametrize(
    ("name", "user"), [("apache/airflow:2.9.0", "airflow"), ("quay.io/jupyter/scipy-notebook:latest", "jovyan")]
)
def test_some_images_run_as_a_user_of_their_own(name: str, user: str) -> None:
    base = of_others(name)
    assert base is not None and base.user == user
    assert of_others("example/own:1") is None


@pytest.mark.parametrize(
    ("name", "program", "libc", "lacks"),
    [
        ("golang:1.22", "/usr/local/go/bin/go", "glibc", "gosu"),
        ("golang:1.22-alpine", "/usr/local/go/bin/go", "musl", "gcc"),
        ("mirror.example/library/golang", "/usr/local/go/bin/gofmt", "glibc", "gosu"),
        ("rust:1-slim", "/usr/local/cargo/bin/cargo", "glibc", "gosu"),
        ("rust:1-alpine", "/usr/local/cargo/bin/rustc", "musl", "git"),
    ],
)
def test_images_to_compile_with(name: str, program: str, libc: str, lacks: str) -> None:
    base = of_toolchain(name)
    assert base is not None and program in base.executables and base.libc == libc and lacks in base.lacks
    assert program.rpartition("/")[0] in base.path


@pytest.mark.parametrize("name", ["golang:1.22-nanoserver", "golang:1-windowsservercore", "golangci/golangci-lint:v1"])
def test_others_are_no_toolchain(name: str) -> None:
    assert of_toolchain(name) is None
