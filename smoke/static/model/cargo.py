"""Programs that `cargo` links."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence

from smoke.static.model.stage import Stage

# -- Rust and C ------------------------------------------------------------------------------------------------------


def built_by_cargo(stage: Stage, rest: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """What `cargo build --release` links: by rustc's default, with the library of the machine that builds."""
    told = {word.partition("=")[0] for word in rest}
    odd = {"--target", "--target-dir", "--manifest-path", "--config", "--profile", "-Z", "--out-dir", "--artifact-dir"}
    if stage.toolchain != "rust" or rest[:1] not in (["build"], ["b"], ["install"]) or told & odd:
        return {}
    if any(each in given for each in ("RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR")):
        return {}
    place = next((each for each in stage.files.names(stage.workdir) if each == ".cargo"), "")
    package = _toml(stage.source_text(stage.path("Cargo.toml")))
    own, more = package.get("package"), package.get("bin", [])
    if place or not isinstance(own, dict) or not isinstance(more, list):
        return {}
    names = {str(each.get("name", "")) for each in (own, *more) if isinstance(each, dict)}
    if rest[0] == "install":
        below = "" if "--root" in told else "/usr/local/cargo/bin"
    else:
        below = stage.path(f"target/{'release' if {'--release', '-r'} & told else 'debug'}")
    return {f"{below}/{each}": stage.libc for each in sorted(names - {""}) if below}


def _toml(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
