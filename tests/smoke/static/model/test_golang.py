"""What `go build` links, with which C library, and what it finds nothing of."""

from __future__ import annotations

import pytest

from smoke.static.model.golang import go_refusal
from tests.smoke.static.model.linking import linked
from tests.smoke.static.model.staged import stage

SERVES = 'package main\n\nimport (\n\t"fmt"\n\tweb "net/http"\n)\n'
FILES = {"go.mod": "module example.com/x\n", "main.go": SERVES, "plain/a.go": 'package plain\nimport "net/url"\n'}


@pytest.mark.parametrize(
    ("line", "given", "wanted"),
    [
        ("go build -o /x .", {}, ["/x"]),
        ("go build -o=/x", {}, ["/x"]),
        ("go build -tags none -o /x main.go", {}, ["/x"]),
        ("go build -o /tmp/ .", {}, ["/tmp/"]),
        ("go build -o /x ./plain", {}, []),
        ("go build -o /x ./...", {}, []),
        ("go build .", {}, ["/x"]),
        ("go test -o /x .", {}, []),
        ("go build -tags netgo -o /x .", {}, []),
        ("go build -o /x .", {"CGO_ENABLED": "0"}, []),
        ("go build -o /x .", {"GOARCH": "arm64"}, []),
        ("go build -o /x .", {"GOOS": "linux"}, ["/x"]),
        ("go build -o /x .", {"GOFLAGS": "-ldflags=-extldflags=-static"}, []),
        ("go build -o $OUT .", {}, []),
    ],
)
def test_go_links_c_where_it_resolves_names(line: str, given: dict[str, str], wanted: list[str]) -> None:
    assert [each.rstrip("/") for each in linked(line, FILES, **given)] == [each.rstrip("/") for each in wanted]


def test_packages_of_the_own_module_count_and_files_for_other_systems_do_not() -> None:
    own = {**FILES, "main.go": 'package main\nimport "example.com/x/web"\n', "web/w.go": SERVES}
    assert linked("go build -o /x .", own) == ["/x"]
    other = {
        "main.go": "package main\n",
        "main_windows.go": SERVES,
        "main_test.go": SERVES,
        "b.go": f"//go:build x\n{SERVES}",
    }
    assert linked("go build -o /x .", other) == []


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"main.go": "package main\n//go:embed web/*.html\nvar x embed.FS\n"}, "embeds web/*.html"),
        ({"main.go": "package main\n//go:embed web/*.html\nvar x embed.FS\n", "web/a.html": ""}, ""),
        ({"main.go": "package main\n//go:embed all:web\nvar x embed.FS\n", "web/a.html": ""}, ""),
        ({"main.go": 'package main\nimport "example.com/x/web"\n'}, "there is no /web"),
        ({"main.go": 'package main\nimport "example.com/x/web"\n', "web/w.go": "package web\n"}, ""),
        ({"main.go": 'package main\nimport "example.com/other"\n'}, ""),
    ],
)
def test_what_a_package_needs_is_there(files: dict[str, str], says: str) -> None:
    held = stage("debian:12", {"go.mod": FILES["go.mod"], **files})
    found = go_refusal(held, ["build", "."])
    assert says in found and bool(says) is bool(found), found
