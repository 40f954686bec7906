"""Images without a shell: their Python, their user, and what the debug kinds have."""

from __future__ import annotations

import pytest

from smoke.static.model.bases.distroless import chainguard, distroless


@pytest.mark.parametrize(
    ("name", "python", "user", "shell"),
    [
        ("gcr.io/distroless/python3-debian12", "3.11", "0", False),
        ("gcr.io/distroless/python3-debian12:nonroot", "3.11", "65532", False),
        ("gcr.io/distroless/python3-debian11", "3.9", "0", False),
        ("gcr.io/distroless/python3", "3.11", "0", False),
        ("gcr.io/distroless/python3-debian12:debug", "3.11", "0", True),
        ("gcr.io/distroless/python3-debian12:debug-nonroot", "3.11", "65532", True),
        ("gcr.io/distroless/static-debian12", None, "0", False),
    ],
)
def test_distroless(name: str, python: str | None, user: str, shell: bool) -> None:
    base = distroless(name)
    assert base is not None
    assert (base.python, base.user, "/busybox/sh" in base.executables) == (python, user, shell)
    assert base.distroless and base.complete is not shell
    assert base.entrypoint == ((f"/usr/bin/python{python}",) if python else ())


def test_static_has_no_c_library() -> None:
    static, cc = distroless("gcr.io/distroless/static"), distroless("gcr.io/distroless/cc")
    assert static is not None and cc is not None and (static.libc, cc.libc) == ("", "glibc")


@pytest.mark.parametrize("name", ["gcr.io/distroless/python3-debian99", "gcr.io/distroless/java17", "distroless/cc"])
def test_what_is_not_listed_is_unknown(name: str) -> None:
    assert distroless(name) is None


@pytest.mark.parametrize(
    ("tag", "python", "shell"),
    [("latest", None, False), ("latest-dev", None, True), ("3.12", "3.12", False), ("3.12-dev", "3.12", True)],
)
def test_the_version_of_chainguards_python_floats_unless_the_tag_says_it(
    tag: str, python: str | None, shell: bool
) -> None:
    base = chainguard(f"cgr.dev/chainguard/python:{tag}")
    assert base is not None
    assert (base.python, bool(base.shell), base.user, base.distroless) == (python, shell, "65532", not shell)


@pytest.mark.parametrize(
    ("name", "user", "shell"),
    [
        ("gcr.io/distroless/nodejs20-debian12", "0", False),
        ("gcr.io/distroless/nodejs22-debian12:nonroot", "65532", False),
        ("gcr.io/distroless/nodejs20-debian12:debug", "0", True),
    ],
)
def test_node_is_the_entry_point(name: str, user: str, shell: bool) -> None:
    base = distroless(name)
    assert base is not None and base.entrypoint == ("/nodejs/bin/node",)
    assert (base.user, "/busybox/sh" in base.executables, base.complete) == (user, shell, not shell)
