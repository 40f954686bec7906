"""What is found of a built image: each check holds for a good one and fails for one with its fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from smoke.finding import Finding, Verdict
from smoke.image.checks import look
from smoke.image.image import BuiltImage
from smoke.image.materials import bill_of_materials
from smoke.manifest import Budget, Manifest, Policy, Service
from tests.smoke.cases import write_files
from tests.smoke.image.stand_in import FILES, HEALTHY, Engine

SERVICE = Service(
    name="shop",
    dockerfile="Dockerfile",
    image="shop:1",
    platform="linux/arm64",
    user="65532:65532",
    port=8084,
    module="shop.main",
    labels=("version",),
)
BUDGET = Budget(name="code", paths=("/opt/code/",), megabytes=1)
ISOLATED = Manifest(policy=Policy(isolation=True), budgets=(BUDGET,))


def looked_at(
    engine: Engine, service: Service = SERVICE, budget: int = 60_000_000, journals: Path | None = None
) -> list[Finding]:
    with BuiltImage(engine, "shop:1", Event()) as image:
        return [*look(image, service, ISOLATED, budget, journals, None)]


def failures(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(each.check, each.message) for each in findings if each.verdict is Verdict.FAIL]


def test_a_good_image_has_no_failure_and_each_check_says_what_it_saw(tmp_path: Path) -> None:
    found = looked_at(Engine(tmp_path))
    assert failures(found) == []
    passed = {(each.check, each.message) for each in found if each.verdict is Verdict.PASS}
    assert ("image.config", "it starts /usr/bin/python3 -m shop.main") in passed
    assert ("image.modules", "1 modules of shop load") in passed
    assert ("image.size", "code: 0.0 MB of 1 MB") in passed
    assert {check for check, _ in passed} == {
        f"image.{name}" for name in ["config", "contents", "size", "modules", "isolation"]
    }
    assert [each.check for each in found if each.verdict is Verdict.SKIP] == ["image.replay"]


def with_config(**changed: Any) -> Callable[[Path], Engine]:
    return lambda folder: Engine(folder, config={**HEALTHY, **changed})


def with_files(files: dict[str, bytes], **modes: int) -> Callable[[Path], Engine]:
    return lambda folder: Engine(
        folder, {**FILES, **files}, modes={name.replace("__", "/"): mode for name, mode in modes.items()}
    )


FAULTS: dict[str, tuple[Callable[[Path], Engine], str, str]] = {
    "user": (with_config(User="0"), "config", "it runs as 0"),
    "port": (with_config(ExposedPorts={"80/tcp": {}}), "config", "it exposes [80]"),
    "module": (with_config(Cmd=["-m", "shop"]), "config", "it starts /usr/bin/python3 -m shop"),
    "label": (with_config(Labels={"version": ""}), "config", "its label version is ''"),
    "health": (with_config(Healthcheck={"Test": ["CMD-SHELL", "curl x"]}), "config", "its health check is CMD-SHELL"),
    "no health": (with_config(Healthcheck=None), "config", "its health check is "),
    "shell": (with_files({"bin/sh": b""}), "contents", "/bin/sh is a tool"),
    "setuid": (with_files({"usr/bin/su": b""}, usr__bin__su=0o4755), "contents", "/usr/bin/su is setuid or setgid"),
    "heavy": (with_files({"opt/code/data": bytes(1_100_000)}), "size", "code: 1.1 MB of 1 MB"),
    "import": (
        with_files({"opt/code/shop/bad.py": b"import no_such"}),
        *("modules", "shop.bad: ModuleNotFoundError: No module named 'no_such'"),
    ),
    "package": (with_files({"opt/code/shop/__init__.py": b"1/0"}), "modules", "the import ends with status 1"),
    "trace": (with_files({"opt/code/shop/pay.py": b"import tronpy\n"}), "isolation", "tronpy is in opt"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_fails_its_check_alone(tmp_path: Path, fault: str) -> None:
    make, check, says = FAULTS[fault]
    found = failures(looked_at(make(tmp_path)))
    assert {name for name, _ in found if (fault, name) != ("trace", "image.modules")} == {f"image.{check}"}, found
    assert any(message.startswith(says) for _, message in found), found


def test_an_image_beyond_its_budget_names_its_largest_directories(tmp_path: Path) -> None:
    assert ("image.size", "50.0 MB of 40 MB") in failures(looked_at(Engine(tmp_path), budget=40_000_000))
    heavy = looked_at(with_files({"opt/code/shop/deep/a/b/data": bytes(2_000_000)})(tmp_path / "heavy"))
    (finding,) = (each for each in heavy if each.verdict is Verdict.FAIL)
    assert finding.evidence[0].excerpt == "/opt/code/shop/deep/a: 2.0 MB"


def test_what_is_not_asked_for_or_told_is_a_skip(tmp_path: Path) -> None:
    plain = Service(name="shop", dockerfile="Dockerfile", image="shop:1")
    engine = Engine(tmp_path, config={**HEALTHY, "Healthcheck": None}, component="Podman Engine")
    found = looked_at(engine, plain)
    assert {each.check for each in found if each.verdict is Verdict.SKIP} == {
        *("image.config", "image.modules", "image.replay")
    }
    assert failures(found) == []


REPLAYED = {
    **{f"opt/code/lucid/{name}__init__.py": b"" for name in ("", "machines/", "poot/", "storage/")},
    "opt/code/lucid/machines/replaying.py": b"def replay(head, found, crypto): return len(found), found.get('wrong')",
    "opt/code/lucid/poot/crypto.py": b"class Edwards25519: pass",
    "opt/code/lucid/storage/journal.py": b"import json\ndef read_journal(path): return 0, json.loads(path.read_text())",
}


@pytest.mark.parametrize(
    ("journals", "says"),
    [
        ({"a.journal": "{}", "b/c.journal": '{"wrong": null}'}, None),
        ({"a.journal": '{"wrong": "another vote"}'}, "a.journal: after 1 events another vote"),
        ({}, "0 of 0 journals were replayed"),
        ({"a/x.journal": "{}", "b/x.journal": "{}"}, "1 of 2 journals were replayed"),
        ({"a.journal": "{"}, "the replay ends with status 1"),
    ],
)
def test_journals_are_replayed_in_the_image(tmp_path: Path, journals: dict[str, str], says: str | None) -> None:
    folder = write_files(tmp_path / "journals", journals)
    folder.mkdir(exist_ok=True)
    found = looked_at(with_files(REPLAYED)(tmp_path / "image"), journals=folder)
    messages = [each for each in found if each.check == "image.replay"]
    if says is None:
        assert [each.message for each in messages] == ["2 journals, 1 events, no difference"]
    else:
        assert any(each.verdict is Verdict.FAIL and each.message.startswith(says) for each in messages), messages


def test_a_bill_of_materials_is_written_where_one_is_asked_for(tmp_path: Path) -> None:
    with BuiltImage(Engine(tmp_path / "image"), "shop:1", Event()) as image:
        [*look(image, SERVICE, Manifest(), 60_000_000, None, tmp_path / "bills")]
        bill = bill_of_materials(image)
    assert json.loads((tmp_path / "bills" / "shop.cdx.json").read_text()) == bill
