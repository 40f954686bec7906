"""Which engine answers, how it runs arm64 programs, and what images can be built with."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.finding import Finding, Verdict
from smoke.image.build import Builder, BuildError
from smoke.image.environment import NEEDS_BUILDX, environment


def version(architecture: str = "arm64", **more: object) -> dict[str, object]:
    """What an engine says of itself."""
    return {"Version": "20.10", "Os": "linux", "Arch": architecture, **more}


def found(
    about: dict[str, object] | None = None, client: str = "20.10.24", buildx: str = "github.com/docker/buildx v0.17.1 x"
) -> list[Finding]:
    """The findings for a docker command of a version, with its plugin or (empty) without."""

    def docker(*words: str) -> str:
        said = {"version": client, "buildx": buildx}[words[0]]
        if not said:
            raise BuildError(f"docker {words[0]}\nunknown command: {words[0]}\n")
        return f"{said}\n"

    return [*environment(version() if about is None else about, Builder(docker))]


@pytest.mark.parametrize("architecture", ["arm64", "aarch64"])
def test_an_engine_of_the_images_own_processor_needs_no_emulator(architecture: str) -> None:
    first, _ = found(version(architecture))
    assert first.verdict is Verdict.PASS
    assert first.message == f"Engine 20.10 (linux/{architecture}) runs linux/arm64 natively"


def test_an_engine_is_called_by_its_first_component() -> None:
    """Podman answers at Docker's address."""
    first, _ = found(version(Components=[{"Name": "Podman Engine"}, {"Name": "Conmon"}]))
    assert first.message.startswith("Podman Engine 20.10")


def test_without_an_emulator_arm64_can_not_be_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr("smoke.image.environment._EMULATORS", tmp_path)
    (tmp_path / "qemu-arm").touch()  # the 32 bit one runs none of these
    first, _ = found(version("amd64"))
    assert first.verdict is Verdict.FAIL and "qemu" in first.remedy
    (tmp_path / "qemu-aarch64").touch()
    first, _ = found(version("amd64"))
    assert first.verdict is Verdict.PASS and "emulation" in first.message


def test_another_machine_s_emulators_cannot_be_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """This machine's list says nothing of it, so it is no failure."""
    monkeypatch.setattr("smoke.image.environment._EMULATORS", tmp_path)
    monkeypatch.setenv("DOCKER_HOST", "ssh://pi")
    first, _ = found(version("amd64"))
    assert first.verdict is Verdict.PASS and "on another machine" in first.message


@pytest.mark.parametrize(
    ("client", "buildx", "verdict", "says"),
    [
        ("28.0.1", "github.com/docker/buildx v0.17.1 x", Verdict.PASS, "by buildx v0.17.1"),
        (f"{NEEDS_BUILDX}.0.0", "", Verdict.SKIP, "lacks its plugin buildx"),
        (f"{NEEDS_BUILDX - 1}.0.24", "", Verdict.PASS, "the engine's own BuildKit"),
        ("podman", "", Verdict.PASS, "the engine's own BuildKit"),
        ("28.0.1", "one-word", Verdict.SKIP, "lacks its plugin buildx"),
        ("", "", Verdict.SKIP, "looked at and not built: unknown command: version"),
    ],
)
def test_what_images_are_built_with(client: str, buildx: str, verdict: Verdict, says: str) -> None:
    """Since 23 the command has no builder of its own; nothing can be built where it lacks the plugin."""
    _, second = found(client=client, buildx=buildx)
    assert second.verdict is verdict and says in second.message
