"""`image.*`: each image is what its manifest says, holds nothing else, and every module of it loads in it."""

from __future__ import annotations

import io
import json
import posixpath
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, Verdict, excerpt
from smoke.image.image import BuiltImage, ImagePath
from smoke.image.materials import bill_of_materials
from smoke.manifest import Budget, Manifest, Service
from smoke.static.checks import isolation
from smoke.static.plans import Plans
from smoke.static.scope import Scope
from smoke.tree import Tree

BUDGET_BYTES = 135_000_000

CONFIG = Check(
    "image.config",
    Severity.CRITICAL,
    "architecture, user, port, labels, entry point and health check are those asked for",
    "What runs on the machine is not what was agreed on.",
    "Correct the Dockerfile and build again.",
)
CONTENTS = Check(
    "image.contents",
    Severity.CRITICAL,
    "no shell, package manager, build tool or setuid file",
    "Whoever gets into the service finds tools there.",
    "Leave them in the build stage.",
)
SIZE = Check(
    "image.size",
    Severity.WARNING,
    "the image keeps within its budget",
    "A Pi's card and uplink pay for each megabyte.",
    "Look at its largest directories.",
)
MODULES = Check(
    "image.modules",
    Severity.CRITICAL,
    "every module loads in the image, as its user, without network",
    "The service ends as it reaches that import.",
    "Put what is missing into the image.",
)
INSTALLED = Check(
    "image.isolation",
    Severity.CRITICAL,
    "nothing installed has to do with the payment network",
    "The container carries code of the payment network.",
    "Remove the distribution or file.",
)
REPLAY = Check(
    "image.replay",
    Severity.CRITICAL,
    "journals replay in the image without a difference",
    "The machine in the image is not the one that was simulated.",
    "Look at the first effect that differs.",
)
CHECKS = (CONFIG, CONTENTS, SIZE, MODULES, INSTALLED, REPLAY)

_SHELLS = frozenset(["sh", "bash", "dash", "ash", "busybox", "zsh"])
_TOOLS = frozenset(
    ["apt", "apt-get", "dpkg", "apk", "pip", "pip3", "gcc", "cc", "make", "ld", "git", "curl", "wget", "perl"]
)
_SETUID = 0o6000
_IMPORT_ALL = """
import importlib, json, pkgutil
failed, count = {}, 0
top = importlib.import_module(PACKAGE)
for each in pkgutil.walk_packages(getattr(top, "__path__", ()), top.__name__ + "."):
    try:
        importlib.import_module(each.name)
        count += 1
    except Exception as error:
        failed[each.name] = f"{type(error).__name__}: {error}"
print(json.dumps({"count": count, "failed": failed}))
"""
_REPLAY = """
import json, pathlib
from lucid.machines.replaying import replay
from lucid.poot.crypto import Edwards25519
from lucid.storage.journal import read_journal
found = {}
for path in sorted(pathlib.Path("/given").rglob("*.journal")):
    head, entries = read_journal(path)
    count, difference = replay(head, entries, Edwards25519())
    found[path.name] = [count, None if difference is None else str(difference)]
print(json.dumps(found))
"""


def look(
    image: BuiltImage, service: Service, manifest: Manifest, budget: int, journals: Path | None, sbom: Path | None
) -> Iterator[Finding]:
    """All checks of one image."""
    steps: tuple[Callable[[], Iterator[Finding]], ...] = (
        lambda: _config(image, service),
        lambda: _contents(image, service),
        lambda: _size(image, service, manifest.budgets, budget),
        lambda: _modules(image, service),
        lambda: _installed(image, service, manifest),
        lambda: _replay(image, service, journals),
    )
    for step in steps:
        yield from step()
    if sbom is not None:
        sbom.mkdir(parents=True, exist_ok=True)
        (sbom / f"{service.name}.cdx.json").write_text(json.dumps(bill_of_materials(image), indent=1) + "\n")


def _config(image: BuiltImage, service: Service) -> Iterator[Finding]:
    config = image.config
    ports = {int(port.partition("/")[0]) for port in config.get("ExposedPorts") or {}}
    health = (config.get("Healthcheck") or {}).get("Test") or []
    labels = config.get("Labels") or {}
    words = [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]
    outcome = {
        f"it is for {image.platform}": service.platform in (None, image.platform),
        f"it runs as {config.get('User')}": service.user in (None, config.get("User")),
        f"it exposes {sorted(ports)}": service.port is None or service.port in ports,
        f"it starts {' '.join(words)}": service.module is None or service.module in words,
        **{f"its label {name} is {labels.get(name)!r}": bool(labels.get(name)) for name in service.labels},
    }
    if health or not image.podman:
        outcome[f"its health check is {' '.join(health)[:100]}"] = health[:1] == ["CMD"]
    else:
        yield CONFIG.skip("its health check: Podman's Docker interface does not tell of one", service.name)
    for what, holds in outcome.items():
        yield CONFIG.passed(what, service.name) if holds else CONFIG.fail(what, service.name)


def _contents(image: BuiltImage, service: Service) -> Iterator[Finding]:
    found = []
    for each in image.files:
        name = posixpath.basename(each.path)
        if each.kind != "directory" and posixpath.dirname(each.path).endswith("bin") and name in _SHELLS | _TOOLS:
            found.append((each.path, "a tool"))
        elif each.kind == "file" and each.mode & _SETUID:
            found.append((each.path, "setuid or setgid"))
    for path, what in found:
        yield CONTENTS.fail(f"/{path} is {what}", service.name, [Evidence("", 0, f"/{path}")])
    if not found:
        yield CONTENTS.passed(f"none among {len(image.files)} files", service.name)


def _size(image: BuiltImage, service: Service, parts: Sequence[Budget], budget: int) -> Iterator[Finding]:
    size = int(image.attributes["Size"])
    message = f"{size / 1e6:.1f} MB of {budget / 1e6:.0f} MB"
    if size <= budget:
        yield SIZE.passed(message, service.name)
    else:
        yield SIZE.fail(message, service.name)
    for part in parts:
        held = [
            each for each in image.files if each.path.startswith(tuple(f"{path.strip('/')}/" for path in part.paths))
        ]
        total = sum(each.size for each in held)
        message = f"{part.name}: {total / 1e6:.1f} MB of {part.megabytes} MB"
        if total <= part.megabytes * 1_000_000:
            yield SIZE.passed(message, service.name)
        else:
            yield SIZE.fail(message, service.name, [Evidence("", 0, text) for text in _largest(held)])


def _largest(files: Iterable[ImagePath], count: int = 5) -> list[str]:
    """The directories, five levels deep, that take the most."""
    sizes: Counter[str] = Counter()
    for each in files:
        sizes["/".join(each.path.split("/")[:5])] += each.size
    return [f"/{path}: {size / 1e6:.1f} MB" for path, size in sizes.most_common(count)]


def _modules(image: BuiltImage, service: Service) -> Iterator[Finding]:
    if service.module is None:
        yield MODULES.skip("the manifest names no module that it starts", service.name)
        return
    package = service.module.partition(".")[0]
    status, output = image.python(f"PACKAGE = {package!r}\n{_IMPORT_ALL}")
    try:
        found = json.loads(output.splitlines()[-1])
    except (ValueError, IndexError):
        yield MODULES.fail(f"the import ends with status {status}: {output[-200:]}", service.name)
        return
    for name, why in found["failed"].items():
        yield MODULES.fail(f"{name}: {why}", service.name)
    if not found["failed"]:
        yield MODULES.passed(f"{found['count']} modules of {package} load", service.name)


def _installed(image: BuiltImage, service: Service, manifest: Manifest) -> Iterator[Finding]:
    if not manifest.policy.isolation:
        return
    with TemporaryDirectory(prefix="lucid-image-") as folder:
        for below in image.installed:
            image.extract(f"/{below}", Path(folder))
        tree = Tree(Path(folder))
        failed = [
            each
            for each in isolation.run(Scope(tree, manifest, Plans(), ()))
            if each.verdict is Verdict.FAIL and each.severity is not Severity.INFO
        ]
        for each in failed:
            yield INSTALLED.fail(each.message, service.name, each.evidence, severity=each.severity)
        if not failed:
            yield INSTALLED.passed(f"no trace in {len(tree.sizes)} installed files", service.name)


def _replay(image: BuiltImage, service: Service, journals: Path | None) -> Iterator[Finding]:
    if journals is None:
        yield REPLAY.skip("no journals were given (--journals)", service.name)
        return
    paths = sorted(journals.rglob("*.journal"))
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for path in paths:
            tar.add(path, arcname=path.name)
    status, output = image.python(_REPLAY, written.getvalue())
    try:
        found = json.loads(output.splitlines()[-1])
    except (ValueError, IndexError):
        yield REPLAY.fail(f"the replay ends with status {status}: {excerpt(output[-200:])}", service.name)
        return
    for name, (count, difference) in found.items():
        if difference is not None:
            yield REPLAY.fail(f"{name}: after {count} events {difference}", service.name)
    if paths and len(found) == len(paths) and not any(difference for _, difference in found.values()):
        events = sum(count for count, _ in found.values())
        yield REPLAY.passed(f"{len(found)} journals, {events} events, no difference", service.name)
    elif len(found) != len(paths) or not paths:
        yield REPLAY.fail(f"{len(found)} of {len(paths)} journals were replayed", service.name)
