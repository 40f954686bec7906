"""What cargo links, with the C library of its image."""

from __future__ import annotations

import pytest

from tests.smoke.static.model.linking import linked


@pytest.mark.parametrize(
    ("line", "given", "wanted"),
    [
        ("cargo build --release", {}, ["/target/release/a", "/target/release/b"]),
        ("cargo build", {}, ["/target/debug/a", "/target/debug/b"]),
        ("cargo install --path .", {}, ["/usr/local/cargo/bin/a", "/usr/local/cargo/bin/b"]),
        ("cargo build --release --target x86_64-unknown-linux-musl", {}, []),
        ("cargo build --release", {"RUSTFLAGS": "-C target-feature=+crt-static"}, []),
        ("cargo test", {}, []),
    ],
)
def test_cargo_links_with_the_library_of_its_image(line: str, given: dict[str, str], wanted: list[str]) -> None:
    held = {"Cargo.toml": '[package]\nname = "a"\n[[bin]]\nname = "b"\n'}
    assert linked(line, held, "rust", **given) == wanted
    assert linked(line, held, "", **given) == []
