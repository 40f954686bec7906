"""What a tree is held to: its services, what is excepted and why."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from msgspec import Meta, Struct
from msgspec.structs import replace

from smoke.patterns import matches
from smoke.published import schema_of

_T = TypeVar("_T")

Text = Annotated[str, Meta(min_length=1, max_length=4096)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
Port = Annotated[int, Meta(ge=1, le=65535)]
Endpoint = Annotated[str, Meta(pattern=r"^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /\S*$")]
Plugin = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$")]
Version = Annotated[str, Meta(pattern=r"^3\.\d+$")]
UserGroup = Annotated[
    str, Meta(pattern=r"^[a-z0-9_-]+(:[a-z0-9_-]+)?$", description="user, or user:group, by number or name")
]
Wanted = Annotated[
    str, Meta(pattern=r"^([a-z0-9_-]+(:[a-z0-9_-]+)?)?$", description="user, or user:group; empty: whoever it is")
]


class Service(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One container: where it is built from and what it has to be. What is left out is inferred or not asked for."""

    name: Annotated[Name, Meta(description="short name, unique in the manifest")]
    dockerfile: Annotated[Text, Meta(description="path of the Dockerfile below the root")]
    context: Annotated[
        Text | None, Meta(description="build context below the root; without it the likely ones are tried")
    ] = None
    target: Annotated[Text | None, Meta(description="stage that is built; without it the last")] = None
    build_arguments: Annotated[dict[str, str], Meta(description="values of ARGs that the build is given")] = {}
    image: Annotated[Text | None, Meta(description="name and tag that the build is given")] = None
    platform: Annotated[
        str | None, Meta(description="platform that has to be built; empty: any; left out: the policy's")
    ] = None
    user: Annotated[
        Wanted | None, Meta(description="user that the container runs as; empty: any; left out: the policy's")
    ] = None
    port: Annotated[Port | None, Meta(description="TCP port that the service listens on")] = None
    service: Annotated[Text | None, Meta(description="name that the health answer carries")] = None
    health: Annotated[
        str | None, Meta(description="path that the health check asks; empty: any; left out: the policy's")
    ] = None
    module: Annotated[Text | None, Meta(description="module that the container starts (python -m)")] = None
    script: Annotated[Text | None, Meta(description="file that the container starts, as a path below the root")] = None
    directories: Annotated[tuple[Text, ...], Meta(description="directories that must hold code")] = ()
    endpoints: Annotated[tuple[Endpoint, ...], Meta(description="method and path of what it answers")] = ()
    command: Annotated[
        tuple[str, ...],
        Meta(description="words that start it as a process (live --host); {python} and {root} are filled in too"),
    ] = ()
    environment: Annotated[
        dict[str, str],
        Meta(description="variables that it is started with (live); {port}, {data} and {url:NAME} are filled in"),
    ] = {}
    writes: Annotated[
        tuple[Text, ...], Meta(description="directories of its container that it writes to (live); the first is {data}")
    ] = ()
    labels: Annotated[tuple[Text, ...], Meta(description="labels that must be there and not empty")] = ()


class Base(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A base image that the built-in catalog does not know."""

    image: Annotated[Text, Meta(description="reference as in FROM; a * stands for anything")]
    python: Annotated[Version | None, Meta(description="version of its Python; none when it has none")] = None
    entrypoint: Annotated[tuple[str, ...], Meta(description="its own ENTRYPOINT")] = ()
    command: Annotated[tuple[str, ...], Meta(description="its own CMD")] = ()
    user: Annotated[UserGroup, Meta(description="user that it runs as")] = "0"
    path: Annotated[tuple[str, ...], Meta(description="its PATH")] = ()
    sites: Annotated[tuple[str, ...], Meta(description="directories where its Python finds distributions")] = ()
    executables: Annotated[tuple[str, ...], Meta(description="absolute paths of programs that matter in it")] = ()
    shell: Annotated[bool, Meta(description="whether it has /bin/sh")] = False
    lacks: Annotated[tuple[str, ...], Meta(description="names of programs that it surely lacks")] = ()
    complete: Annotated[bool, Meta(description="whether it has no programs besides those named")] = False
    distroless: Annotated[bool, Meta(description="whether it has no shell and no package manager")] = False
    system: Annotated[str, Meta(description="whose packages it takes: debian, alpine, fedora; empty: none")] = ""
    libc: Annotated[str, Meta(description="glibc or musl; empty: unknown, or none")] = ""
    workdir: Annotated[str, Meta(description="its WORKDIR")] = "/"
    environment: Annotated[dict[str, str], Meta(description="its own ENV besides PATH")] = {}


class Budget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How large a part of every image may be."""

    name: Annotated[Text, Meta(description="what the part is")]
    paths: Annotated[tuple[Text, ...], Meta(min_length=1, description="paths from the image's root that are the part")]
    megabytes: Annotated[int, Meta(ge=1, description="how much the files below may be together, in MB")]


class Live(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the live checks run the services."""

    plugin: Annotated[
        Plugin | None,
        Meta(description="module:name of the tree that knows the product; without it what the services say is tried"),
    ] = None
    start_s: Annotated[int, Meta(ge=1, le=3600, description="within how many seconds all are healthy")] = 20
    grace_s: Annotated[int, Meta(ge=1, le=600, description="within how many seconds a service ends after SIGTERM")] = 8


class Isolation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the isolation scan looks at."""

    words: Annotated[tuple[Name, ...], Meta(description="more words, as unwelcome as the built-in ones")] = ()
    exclude: Annotated[
        tuple[Text, ...], Meta(description="globs of files that are not part of the tree: vendored tools, caches")
    ] = ()


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a tree demands of its images beyond that they start. Nothing is demanded that neither this nor a profile
    says; what is not demanded is reported as a note at most."""

    distroless: Annotated[bool | None, Meta(description="several stages, the last without shell or packages")] = None
    user: Annotated[Wanted | None, Meta(description="user that every container runs as; empty: any")] = None
    health: Annotated[str | None, Meta(description="path that every health check asks; empty: any")] = None
    platform: Annotated[str | None, Meta(description="platform that has to be built; empty: any")] = None
    hardening: Annotated[
        bool | None, Meta(description="Compose services are read-only, unprivileged, limited in memory")
    ] = None
    isolation: Annotated[bool | None, Meta(description="the tree is free of payment code")] = None


PROFILES = {
    "step12": Policy(
        distroless=True, user="65532:65532", health="/health", platform="linux/arm64", hardening=True, isolation=True
    )
}
"""Sets of demands by name."""


class Exemption(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A failure that is known and accepted, with the reason. One that excuses nothing is itself a finding."""

    check: Annotated[Text, Meta(description="id of the check; a * stands for anything")]
    path: Annotated[
        Text | None, Meta(description="glob of the file that the evidence names; ** crosses directories")
    ] = None
    contains: Annotated[Text | None, Meta(description="text that the finding or its evidence holds")] = None
    reason: Annotated[str, Meta(min_length=10, max_length=1000, description="why this is all right")]


class Manifest(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"services": "service", "bases": "base", "budgets": "budget", "exceptions": "exception"},
):
    """A whole `smoke.toml`. An empty one says nothing: Dockerfiles are found and the rest is inferred."""

    title: Annotated[str, Meta(max_length=200, description="name that reports give the tree")] = ""
    services: Annotated[tuple[Service, ...], Meta(description="the containers")] = ()
    compose: Annotated[
        tuple[Text, ...], Meta(description="Compose files below the root; without them they are found")
    ] = ()
    bases: Annotated[tuple[Base, ...], Meta(description="base images beside the catalog")] = ()
    budgets: Annotated[tuple[Budget, ...], Meta(description="parts of the images, and how large they may be")] = ()
    profile: Annotated[
        Literal["step12"] | None, Meta(description="a set of demands; keys of policy and services go before it")
    ] = None
    policy: Policy = Policy()
    live: Live = Live()
    isolation: Annotated[Isolation | None, Meta(description="given, it demands isolation")] = None
    exceptions: Annotated[tuple[Exemption, ...], Meta(description="failures that are accepted")] = ()


def _first(one: _T | None, other: _T | None) -> _T | None:
    return other if one is None else one


def resolved(manifest: Manifest, profile: str | None = None) -> Manifest:
    """The manifest with its profile's demands (or those of the profile given) in its policy and in each service."""
    own, base = manifest.policy, PROFILES.get(profile or manifest.profile or "", Policy())
    isolation = True if manifest.isolation is not None and own.isolation is None else own.isolation

    policy = Policy(
        distroless=_first(own.distroless, base.distroless),
        user=_first(own.user, base.user),
        health=_first(own.health, base.health),
        platform=_first(own.platform, base.platform),
        hardening=_first(own.hardening, base.hardening),
        isolation=_first(isolation, base.isolation),
    )
    held = tuple(held_to(service, policy) for service in manifest.services)
    return replace(manifest, policy=policy, services=held)


def held_to(service: Service, policy: Policy) -> Service:
    """A service with the policy's demands where it has none of its own; what it leaves open is None."""
    user = policy.user if service.user is None else service.user
    health = policy.health if service.health is None else service.health
    platform = policy.platform if service.platform is None else service.platform
    return replace(service, user=user or None, health=health or None, platform=platform or None)


def manifest_schema() -> dict[str, object]:
    """The JSON Schema that `smoke/schema/manifest.json` publishes."""
    return schema_of(Manifest, "lucid-smoke-manifest")


def exempts(exemption: Exemption, check: str, paths: list[str], texts: list[str]) -> bool:
    """Whether an exemption excuses a failure of `check` whose evidence names `paths` and whose words are `texts`."""
    if not matches(exemption.check, check):
        return False
    if exemption.path is not None and not (paths and all(matches(exemption.path, path) for path in paths)):
        return False
    return exemption.contains is None or any(exemption.contains in text for text in texts)
